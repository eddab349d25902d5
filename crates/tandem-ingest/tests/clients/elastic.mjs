// Delivers with the official Elasticsearch client for Node: elastic.mjs URL TOKEN MARKER
import { createRequire } from "node:module";
const require = createRequire(process.env.TANDEM_TEST_VENV + "/");
const { Client } = require("@elastic/elasticsearch");
const [url, token, marker] = process.argv.slice(2);
const client = new Client({ node: url, auth: { apiKey: { id: "id", api_key: token } }, compression: true });
const info = await client.info();
if (!info.version.number) throw new Error(JSON.stringify(info));
const documents = Array.from({ length: 50 }, (_, n) => ({ message: `${marker} ${n}` }));
const stats = await client.helpers.bulk({
  datasource: documents,
  onDocument: () => ({ create: { _index: "logs-node" } }),
  onDrop: (dropped) => { throw new Error(JSON.stringify(dropped)); },
});
if (stats.successful !== 50) throw new Error(JSON.stringify(stats));
