"""Search over one event table by Tandem, DuckDB and chDB, interleaved.

usage: search.py TANDEM WORK_FOLDER EVENTS [--runs N] [--out FOLDER]
Generates the logs (generate.py), imports them into a site, then asks every engine the same questions of the same Parquet
files. Prints a table; writes search.json and search.svg to the folder of --out. Times are wall-clock milliseconds and CPU milliseconds
of the engine's process, the median of the runs. Every engine may use all cores and is warm: metadata are cached, files are in the page cache.
"""

import argparse
import http.client
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import chdb.session
import deltalake
import duckdb

sys.path.insert(0, os.path.dirname(__file__))
HERE = Path(__file__).parent
NEEDLE = "zq7needle41c9"

# name, Tandem's query, what else its request asks, SQL for both engines ({t} the table, {like} case-insensitive LIKE, {v4} bytes of an address).
NEWEST = "ORDER BY time DESC LIMIT 100"
QUESTIONS = [
    ("needle", NEEDLE, {"limit": 100}, "SELECT id, time, raw FROM {t} WHERE raw {like} '%" + NEEDLE + "%' " + NEWEST),
    ("phrase", '"failed password for root"', {"limit": 100}, "SELECT id, time, raw FROM {t} WHERE raw {like} '%failed password for root%' " + NEWEST),
    ("field", "user.name:c.rossi", {"limit": 100}, "SELECT id, time, raw FROM {t} WHERE lower(\"user.name\") = 'c.rossi' " + NEWEST),
    ("wildcard", 'CommandLine:*" -enc "*', {"limit": 100}, "SELECT id, time, raw FROM {t} WHERE \"CommandLine\" {like} '% -enc %' " + NEWEST),
    ("cidr", "source.ip:203.0.113.0/24", {"limit": 100}, "SELECT id, time, raw FROM {t} WHERE \"source.ip.key\" BETWEEN {low} AND {high} " + NEWEST),
    ("absent", "mimikatzzz", {"limit": 100}, "SELECT id, time, raw FROM {t} WHERE raw {like} '%mimikatzzz%' " + NEWEST),
    ("stats", "* | stats count by source.ip | sort -count | head 20", {"limit": 20}, 'SELECT "source.ip", count(*) AS n FROM {t} WHERE "source.ip" IS NOT NULL GROUP BY 1 ORDER BY n DESC LIMIT 20'),
    ("stats of a field", "EventID:1 | stats count by Image | sort -count | head 20", {"limit": 20}, 'SELECT "Image", count(*) AS n FROM {t} WHERE "EventID" = 1 GROUP BY 1 ORDER BY n DESC LIMIT 20'),
    ("histogram", "", {"limit": 0, "histogram": {"buckets": 60}}, "SELECT {bucket} AS b, count(*) FROM {t} GROUP BY 1 ORDER BY 1"),
]


class Local(http.client.HTTPConnection):
    """The site's own socket."""

    def __init__(self, folder):
        super().__init__("site", timeout=600)
        self.path = str(folder / "tandem.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Tandem:
    name = "tandem"

    def __init__(self, binary, folder):
        self.folder = folder
        options = ["--console", "127.0.0.1:0", "--ingest", "127.0.0.1:0", "--syslog-udp", "127.0.0.1:0", "--syslog-tcp", "127.0.0.1:0"]
        self.process = subprocess.Popen([binary, "site", "run", "--data", folder, *options], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
        else:
            raise SystemExit("the site ended before it was ready")
        self.version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.split()[-1]

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, question):
        _, query, more, _ = question
        connection = Local(self.folder)
        body = {"query": query, "from": "2026-01-01T00:00:00Z", "to": "2027-12-31T00:00:00Z", **more}
        connection.request("POST", "/api/v1/search", json.dumps(body), {"content-type": "application/json", "x-tandem-csrf": "1"})
        answer = connection.getresponse()
        count = total = 0
        for line in answer.read().decode().splitlines():
            part = json.loads(line)
            match part["kind"]:
                case "rows" | "table":
                    count += len(part["rows"])
                case "histogram":
                    count = len(part["buckets"])
                case "done":
                    total = part["total"]
                case "error":
                    raise ValueError(part["problem"])
        return count, total

    def close(self):
        self.process.terminate()
        self.process.wait()


class InProcess:
    """An engine in this process."""

    def cpu(self):
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def sql(self, question):
        return question[3].format(t=self.table, **self.words)

    def close(self):
        pass


class DuckDb(InProcess):
    name = "duckdb"
    words = {
        "like": "ILIKE",
        "low": "'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xFF\\xFF\\xCB\\x00\\x71\\x00'::BLOB",
        "high": "'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xFF\\xFF\\xCB\\x00\\x71\\xFF'::BLOB",
        "bucket": "time_bucket(INTERVAL 4 HOUR, time)",
    }

    def __init__(self, files):
        self.connection = duckdb.connect()
        self.version = duckdb.__version__
        try:
            self.connection.execute("SET parquet_metadata_cache = true")
        except duckdb.Error:
            self.connection.execute("SET enable_object_cache = true")
        names = ", ".join(f"'{name}'" for name in files)
        self.connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet([{names}], union_by_name = true, hive_partitioning = true)")
        self.table = "events"

    def ask(self, question):
        rows = self.connection.execute(self.sql(question)).fetchall()
        return len(rows), None


class ChDb(InProcess):
    name = "chdb"
    words = {
        "like": "ILIKE",
        "low": "unhex('00000000000000000000FFFFCB007100')",
        "high": "unhex('00000000000000000000FFFFCB0071FF')",
        "bucket": "toStartOfInterval(time, INTERVAL 4 HOUR)",
    }

    def __init__(self, files, glob):
        self.session = chdb.session.Session()
        self.version = chdb.__version__
        self.table = f"file('{glob}', Parquet)"
        self.session.query("SET schema_inference_mode = 'union'")
        self.settings = " SETTINGS schema_inference_mode = 'union', schema_inference_cache_require_modification_time_for_url = 0"

    def ask(self, question):
        text = self.session.query(self.sql(question) + self.settings, "JSONCompactEachRow")
        return len(str(text).splitlines()), None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tandem", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("events", type=int)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    raw, site = options.work / f"raw-{options.events}", options.work / f"site-{options.events}"
    figures = prepare(options, raw, site)

    table = deltalake.DeltaTable(str(site / "tables/events"))
    files = [name.removeprefix("file://") for name in table.file_uris()]
    figures |= {"files": len(files), "parquet_bytes": sum(os.path.getsize(name) for name in files)}
    index = list((site / "tables/events/_tandem").rglob("*.index"))
    figures["index_bytes"] = sum(path.stat().st_size for path in index)
    print(json.dumps(figures), flush=True)

    # chDB knows no list of files: a folder of links to the live ones serves as its glob.
    links = options.work / "links"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir()
    for number, name in enumerate(files):
        (links / f"{number:05}.parquet").symlink_to(name)
    engines = [Tandem(options.tandem, site), DuckDb(files), ChDb(files, f"{links}/*.parquet")]
    results = []
    try:
        for question in QUESTIONS:
            row = {"question": question[0], "query": question[1], "engines": {}}
            samples = {engine.name: [] for engine in engines}
            for run in range(options.runs + 1):
                for engine in engines:
                    cpu, begin = engine.cpu(), time.monotonic()
                    try:
                        rows, total = engine.ask(question)
                    except Exception as error:  # an engine that cannot answer is said, not hidden
                        row["engines"][engine.name] = {"error": str(error).strip().splitlines()[0][:200]}
                        samples[engine.name] = None
                        continue
                    if run and samples[engine.name] is not None:  # the first run warms up
                        samples[engine.name].append(((time.monotonic() - begin) * 1e3, (engine.cpu() - cpu) * 1e3, rows, total))
            for engine in engines:
                taken = samples[engine.name]
                if taken:
                    row["engines"][engine.name] = {
                        "wall_ms": round(statistics.median(s[0] for s in taken), 1),
                        "cpu_ms": round(statistics.median(s[1] for s in taken), 1),
                        "rows": taken[-1][2],
                        "total": taken[-1][3],
                    }
            results.append(row)
            show(row)
    finally:
        for engine in engines:
            engine.close()
    answer = {"figures": figures, "versions": {engine.name: engine.version for engine in engines}, "questions": results}
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "search.json").write_text(json.dumps(answer, indent=1) + "\n")
        plot(answer, options.out / "search.svg")


def prepare(options, raw, site):
    """Logs and a site that holds them; kept for the next run."""
    note = site / "bench.json"
    if note.exists():
        return json.loads(note.read_text())
    if not (raw / "complete").exists():
        print("writing logs", flush=True)
        subprocess.run([sys.executable, HERE / "generate.py", raw, str(options.events)], check=True)
        (raw / "complete").touch()
    shutil.rmtree(site, ignore_errors=True)
    subprocess.run([options.tandem, "site", "init", "--data", site, "--name", "bench"], check=True, stdout=subprocess.DEVNULL)
    files = sorted(path for path in raw.iterdir() if path.suffix in (".log", ".ndjson"))
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([options.tandem, "import", "--data", site, *files], check=True)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {
        "events": options.events,
        "raw_bytes": sum(path.stat().st_size for path in files),
        "import_wall_s": round(wall, 1),
        "import_cpu_s": round(cpu, 1),
        "events_per_s": round(options.events / wall),
        "events_per_cpu_s": round(options.events / cpu),
        "import_peak_bytes": after.ru_maxrss * 1024,
    }
    note.write_text(json.dumps(figures))
    return figures


def show(row):
    ours = row["engines"].get("tandem", {})
    cells = []
    for name, engine in row["engines"].items():
        if "error" in engine:
            cells.append(f"{name} failed: {engine['error']}")
        else:
            ratio = engine["wall_ms"] / ours["wall_ms"] if ours.get("wall_ms") else 0
            cells.append(f"{name} {engine['wall_ms']} ms ({engine['cpu_ms']} CPU, {engine['rows']} rows, ×{ratio:.2f})")
    print(f"{row['question']:18} " + " | ".join(cells), flush=True)


def plot(answer, path):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    names = ["tandem", "duckdb", "chdb"]
    figure, axes = plt.subplots(figsize=(9, 4.2))
    for at, name in enumerate(names):
        heights = [row["engines"].get(name, {}).get("wall_ms", 0) for row in answer["questions"]]
        axes.bar([x + (at - 1) * 0.27 for x in range(len(heights))], heights, 0.25, label=f"{name} {answer['versions'][name]}")
    axes.set_yscale("log")
    axes.set_ylabel("ms, median, warm")
    axes.set_xticks(range(len(answer["questions"])), [row["question"] for row in answer["questions"]], rotation=25, ha="right")
    axes.set_title(f"{answer['figures']['events']:,} events, the same Parquet files")
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)


main()
