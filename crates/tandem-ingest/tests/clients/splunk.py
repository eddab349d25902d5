"""Delivers with two HEC handlers of Python's logging: splunk.py HOST PORT TOKEN MARKER"""
import logging
import sys

from splunk_handler import SplunkHandler
from splunk_hec_handler import SplunkHecHandler

host, port, token, marker = sys.argv[1:]
first = SplunkHandler(host=host, port=port, token=token, index="main", protocol="http", verify=False,
                      flush_interval=0.2, sourcetype="python", source="first", hostname="h1", retry_count=0, debug=False)
second = SplunkHecHandler(host, token, port=int(port), proto="http", ssl_verify=False, source="second",
                          sourcetype="_json", hostname="h2")
for name, handler in (("first", first), ("second", second)):
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for n in range(20):
        logger.info(f"{marker} {name} {n}")
    handler.flush() if hasattr(handler, "flush") else None
logging.shutdown()
