"""From a line on a socket to its case, on a running site under load.

usage: latency.py TANDEM WORK_FOLDER [--attacks 1000] [--background 1000] [--rules FOLDER] [--out FOLDER]
A site with the built-in rules takes `--background` events a second over syslog TCP. Beside them, an attack (a process that
deletes shadow copies, each on a host of its own) is posted as NDJSON at a random moment about every 0.1 s. The clock starts before the
first byte of the attack is written to the socket, and stops when the site's live stream tells of the detection and its case (the
first ones open cases; as the same rule on several hosts is a spreading attack, the others join). Prints percentiles; writes
latency.json and latency.svg.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from datetime import datetime, timezone
from pathlib import Path


class Local(http.client.HTTPConnection):
    """The site's own socket."""

    def __init__(self, folder):
        super().__init__("site", timeout=600)
        self.path = str(folder / "tandem.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def call(self, method, path, body=None):
        headers = {"content-type": "application/json", "x-tandem-csrf": "1"}
        self.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
        answer = self.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text}")
        return json.loads(text)


def stamp():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def attack(number):
    data = {"Image": "C:\\Windows\\System32\\vssadmin.exe", "CommandLine": f"vssadmin delete shadows /all /n:{number}", "User": f"NORDWIND\\u{number}"}
    winlog = {"channel": "Microsoft-Windows-Sysmon/Operational", "event_id": "1", "provider_name": "Microsoft-Windows-Sysmon", "computer_name": f"PC-{number}", "event_data": data}
    return json.dumps({"@timestamp": stamp(), "host": {"name": f"PC-{number}"}, "winlog": winlog})


def background(r, n):
    """What a middling network says: web server, firewall, SSH, and half of it Windows."""
    user, host = f"u{r.randrange(400)}", f"ws-{r.randrange(300)}"
    match n % 6:
        case 0:
            return f'<134>1 {stamp()} web01 nginx - - - 10.1.{r.randrange(30)}.{r.randrange(255)} - - [{datetime.now(timezone.utc):%d/%b/%Y:%H:%M:%S +0000}] "GET /a/{r.randrange(999)} HTTP/1.1" 200 {r.randrange(90000)} "-" "Mozilla/5.0"'
        case 1:
            return f"<4>1 {stamp()} fw01 kernel - - - [{n}.1] DROP IN=eth0 OUT= SRC=10.9.{r.randrange(30)}.{r.randrange(255)} DST=10.0.0.5 LEN=60 TTL=49 ID=1 PROTO=TCP SPT={r.randrange(1024, 65535)} DPT=443 WINDOW=64240 SYN URGP=0"
        case 2:
            return f"<86>1 {stamp()} srv{r.randrange(40)} sshd {r.randrange(999)} - - Accepted publickey for {user} from 10.2.3.{r.randrange(255)} port {r.randrange(1024, 65535)} ssh2: ED25519 SHA256:{r.randbytes(16).hex()}"
        case _:
            data = {"Image": f"C:\\Program Files\\App{n % 97}\\app.exe", "CommandLine": f"app.exe --id={r.randrange(10**6)}", "User": f"NORDWIND\\{user}", "ParentImage": "C:\\Windows\\explorer.exe"}
            winlog = {"channel": "Microsoft-Windows-Sysmon/Operational", "event_id": "1", "provider_name": "Microsoft-Windows-Sysmon", "computer_name": host, "event_data": data}
            return json.dumps({"@timestamp": stamp(), "host": {"name": host}, "winlog": winlog})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tandem", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--attacks", type=int, default=1000)
    parser.add_argument("--background", type=int, default=1000)
    parser.add_argument("--rules", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    folder = options.work / "latency"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([options.tandem, "site", "init", "--data", folder, "--name", "latency"], check=True, stdout=subprocess.DEVNULL)
    for rules in options.rules:
        subprocess.run([options.tandem, "rules", "install", "--data", folder, rules], check=True, stdout=subprocess.DEVNULL)
    site = subprocess.Popen(
        [options.tandem, "site", "run", "--data", folder, "--console", "127.0.0.1:0", "--ingest", "127.0.0.1:0", "--syslog-udp", "127.0.0.1:0", "--syslog-tcp", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    addresses = {}
    for line in site.stdout:
        if line.strip() == "ready":
            break
        name, _, value = line.strip().partition(" ")
        addresses[name] = value
    try:
        measure(options, folder, site, addresses)
    finally:
        site.terminate()
        site.wait()


def measure(options, folder, site, addresses):
    token = Local(folder).call("POST", "/ingest-tokens", {"name": "latency"})["token"]
    sent, arrived, done = [], [], threading.Event()

    stream = Local(folder)
    stream.request("GET", "/api/v1/stream?topics=detections", headers={"x-tandem-csrf": "1"})
    events = stream.getresponse()
    if events.status != 200:
        raise SystemExit(events.read().decode())

    def listen():
        for line in events:
            if line.startswith(b"data:"):
                now = time.monotonic()
                change = json.loads(line[5:])
                if change.get("case"):
                    arrived.append((now, change["case"], change["id"]))
                    if len(arrived) == options.attacks:
                        done.set()

    threading.Thread(target=listen, daemon=True).start()

    stop, load = threading.Event(), {"sent": 0, "late": 0}

    def send_background():
        r = random.Random(7)
        host, port = addresses["syslog-tcp"].rsplit(":", 1)
        wire = socket.create_connection((host, int(port)))
        begin, n = time.monotonic(), 0
        while not stop.is_set():
            due = int((time.monotonic() - begin) * options.background)
            if n < due:
                lines = []
                while n < due and len(lines) < 200:
                    lines.append(background(r, n))
                    n += 1
                wire.sendall(("\n".join(lines) + "\n").encode())
                load["sent"] = n
            else:
                time.sleep(0.002)
        load["seconds"] = time.monotonic() - begin

    sender = threading.Thread(target=send_background) if options.background else None
    if sender:
        sender.start()
        time.sleep(5)
    r = random.Random(11)
    host, port = addresses["http"].rsplit(":", 1)
    wire = http.client.HTTPConnection(host, int(port), timeout=60)
    for number in range(options.attacks):
        time.sleep(r.uniform(0.02, 0.18))
        body = attack(number)
        sent.append(time.monotonic())
        wire.request("POST", "/ingest", body, {"authorization": "Splunk " + token})
        answer = wire.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"attack {number}: {answer.status}")
    done.wait(120)
    stop.set()
    if sender:
        sender.join()
    usage = Path(f"/proc/{site.pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(usage[11]) + int(usage[12])) / os.sysconf("SC_CLK_TCK")
    peak = next(int(line.split()[1]) for line in Path(f"/proc/{site.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    # One pipeline keeps order: the n-th detection is the n-th attack's. Spot checks say so.
    ask = Local(folder)
    for number in (0, len(arrived) // 2, len(arrived) - 1):
        text = json.dumps(ask.call("GET", f"/detections/{arrived[number][2]}"))
        if f"PC-{number}" not in text:
            raise SystemExit(f"detection {arrived[number][2]} is not of PC-{number}: the measurement is void")
    delays = sorted((there[0] - here) * 1e3 for here, there in zip(sent, arrived))
    if len(delays) < options.attacks:
        print(f"only {len(delays)} of {options.attacks} attacks became cases within 120 s")
    at = lambda q: round(delays[min(len(delays) - 1, int(q * len(delays)))], 1)
    answer = {
        "attacks": options.attacks,
        "with_a_case": len(arrived),
        "cases": len({case for _, case, _ in arrived}),
        "background_per_s": round(load["sent"] / load["seconds"]) if load.get("seconds") else 0,
        "p50_ms": at(0.5),
        "p90_ms": at(0.9),
        "p99_ms": at(0.99),
        "max_ms": round(delays[-1], 1),
        "site_cpu_share_of_a_core": round(cpu / load["seconds"], 2) if load.get("seconds") else None,
        "peak_bytes": peak * 1024,
        "rules": [path.name for path in options.rules] or "built in",
    }
    print(json.dumps(answer))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "latency.json").write_text(json.dumps(answer, indent=1) + "\n")
        plot(delays, answer, options.out / "latency.svg")


def plot(delays, answer, path):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2))
    axes.plot(delays, [(n + 1) / len(delays) * 100 for n in range(len(delays))])
    axes.set_xscale("log")
    axes.set_xlabel("ms from the socket to the case")
    axes.set_ylabel("% of attacks")
    axes.axvline(1000, linestyle=":", color="grey")
    axes.set_title(f"{answer['with_a_case']} attacks beside {answer['background_per_s']} events a second")
    figure.tight_layout()
    figure.savefig(path)


main()
