// Delivers with Splunk's own HEC logger for Node: splunk.mjs URL TOKEN MARKER
import { createRequire } from "node:module";
const require = createRequire(process.env.TANDEM_TEST_VENV + "/");
const { Logger } = require("splunk-logging");
const [url, token, marker] = process.argv.slice(2);
const logger = new Logger({ url, token, maxBatchCount: 10, batchInterval: 100 });
let answers = 0;
logger.error = (error) => { console.error(error); process.exit(1); };
const done = new Promise((resolve) => {
  for (let n = 0; n < 30; n++) {
    logger.send(
      { message: { text: `${marker} ${n}` }, severity: "info", metadata: { source: "node", sourcetype: "json", host: "h3" } },
      (error, response, body) => {
        if (error || body.code !== 0) { console.error(error, body); process.exit(1); }
        answers += 1;
        if (answers === 3) resolve();
      },
    );
  }
});
await done;
process.exit(0); // its timer would keep the process
