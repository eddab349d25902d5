"""Delivers with the official Elasticsearch client: elastic.py URL TOKEN MARKER"""
import sys

import elasticsearch
from elasticsearch import helpers

url, token, marker = sys.argv[1:]
for compress, credentials in ((False, {"api_key": ("id", token)}), (True, {"basic_auth": ("elastic", token)})):
    client = elasticsearch.Elasticsearch(url, http_compress=compress, **credentials)
    assert client.ping()
    info = client.info()
    assert info["tagline"] == "You Know, for Search", info
    kind = "gzip" if compress else "plain"
    documents = ({"@timestamp": "2026-10-11T22:14:15Z", "message": f"{marker} {kind} {n}"} for n in range(100))
    taken, errors = helpers.bulk(client, documents, index="logs-python", chunk_size=30)
    assert (taken, errors) == (100, []), (taken, errors)
    streamed = ({"_op_type": "create", "_index": "logs-python", "_id": f"{kind}{n}", "message": f"{marker} create {kind} {n}"} for n in range(10))
    assert all(ok for ok, _ in helpers.streaming_bulk(client, streamed))
    answer = client.index(index="logs-python", document={"message": f"{marker} single {kind}"})
    assert answer["result"] == "created", answer
    results = list(helpers.streaming_bulk(client, [{"_op_type": "delete", "_index": "a", "_id": "1"}], raise_on_error=False))
    assert [ok for ok, _ in results] == [False], results
    client.close()
wrong = elasticsearch.Elasticsearch(url, api_key="wrong")
try:
    wrong.info()
    raise SystemExit("a wrong token was accepted")
except elasticsearch.AuthenticationException:
    pass
print(elasticsearch.__versionstr__)
