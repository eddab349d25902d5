"""Writes log files of a middling company, the same ones for the same arguments.

usage: generate.py FOLDER EVENTS
Five products in the shares below, in order of time over ten days, in files of at most 200,000 records. A few needles are planted.
"""

import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

# Web server, firewall, SSH, Zeek connections, Sysmon process starts.
SHARES = {"web": 0.35, "firewall": 0.25, "ssh": 0.10, "zeek": 0.15, "sysmon": 0.15}
PER_FILE = 200_000
BEGIN = datetime(2026, 10, 1, tzinfo=timezone.utc)
SPAN = timedelta(days=10)
NEEDLE = "zq7needle41c9"
ADDRESS_OF_CIDR = "203.0.113."

USERS = [f"{a}.{b}" for a in "abcdefghijklm" for b in ("keller", "brandt", "weiss", "nowak", "silva", "moreau", "rossi", "lind")]
PATHS = [f"/{a}/{b}" for a in ("api", "shop", "static", "img", "login", "search") for b in ("index.html", "list", "item?id=", "main.css", "app.js", "v1/orders")]
AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "curl/8.10.1",
]
# Where Windows has them: programs of the system elsewhere would be attacks.
IMAGES = [
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE",
    r"C:\Program Files\WindowsApps\MSTeams\ms-teams.exe",
    r"C:\Windows\System32\conhost.exe",
    r"C:\Windows\System32\taskhostw.exe",
    r"C:\Windows\System32\backgroundTaskHost.exe",
]


def address(r):
    n = r.random()
    if n < 0.0004:
        return ADDRESS_OF_CIDR + str(r.randrange(1, 255))
    if n < 0.5:
        return f"10.{r.randrange(4)}.{r.randrange(32)}.{r.randrange(1, 255)}"
    # Some 120,000 addresses of the world, few of them often.
    n = int(120_000 * r.random() ** 3) * 19_088_743 % (1 << 32)
    return f"{11 + n % 150}.{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}"


def web(r, at, n):
    return (
        f'{address(r)} - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "GET {r.choice(PATHS)}{n % 9973} HTTP/1.1" '
        f'{r.choice((200, 200, 200, 304, 404, 500))} {r.randrange(200, 90000)} "-" "{r.choice(AGENTS)}"'
    )


def firewall(r, at, n):
    return (
        f"<4>{at:%Y-%m-%dT%H:%M:%S}.{n % 1000:03}Z fw01 kernel: [{n % 10**7}.{n % 10**6:06}] DROP IN=eth0 OUT= "
        f"MAC=52:54:00:12:34:56:52:54:00:ab:cd:ef:08:00 SRC={address(r)} DST=10.0.0.{r.randrange(1, 20)} LEN=60 TOS=0x00 PREC=0x00 "
        f"TTL=49 ID={n % 65536} DF PROTO=TCP SPT={r.randrange(1024, 65535)} DPT={r.choice((22, 23, 80, 443, 445, 3389))} WINDOW=64240 RES=0x00 SYN URGP=0"
    )


def ssh(r, at, n):
    k = r.random()
    pid = r.randrange(300, 60000)
    if k < 0.5:
        text = f"Failed password for {'invalid user ' if k < 0.2 else ''}{r.choice(USERS)} from {address(r)} port {r.randrange(1024, 65535)} ssh2"
    elif k < 0.52:
        text = f"Failed password for root from {address(r)} port {r.randrange(1024, 65535)} ssh2"
    else:
        text = f"Accepted publickey for {r.choice(USERS)} from {address(r)} port {r.randrange(1024, 65535)} ssh2: ED25519 SHA256:{r.randbytes(16).hex()}"
    return f"<86>{at:%Y-%m-%dT%H:%M:%S}.{n % 1000:03}Z srv{n % 40:02} sshd[{pid}]: {text}"


def zeek(r, at, n):
    return (
        f'{{"_path":"conn","ts":"{at:%Y-%m-%dT%H:%M:%S}.{n % 1000:03}Z","uid":"C{r.randbytes(8).hex()}","id.orig_h":"{address(r)}","id.orig_p":{r.randrange(1024, 65535)},'
        f'"id.resp_h":"10.0.0.{r.randrange(1, 20)}","id.resp_p":{r.choice((53, 80, 443, 445))},"proto":"tcp","service":"ssl","duration":{r.random() * 9:.4f},'
        f'"orig_bytes":{r.randrange(9000)},"resp_bytes":{r.randrange(90000)},"conn_state":"SF","local_orig":true,"local_resp":true,"missed_bytes":0,"history":"ShADadFf"}}'
    )


def sysmon(r, at, n):
    path = r.choice(IMAGES)
    image = path.rsplit("\\", 1)[1]
    host = f"WS-{n % 400:03}"
    user = r.choice(USERS)
    line = f"{image} -enc {r.randbytes(24).hex()}" if r.random() < 0.0005 else f"{image} --type=worker --id={n % 99991}"
    path_json = path.replace("\\", "\\\\")
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{n % 1000:03}Z"
    return (
        f'{{"@timestamp":"{stamp}","event":{{"code":"1","kind":"event","provider":"Microsoft-Windows-Sysmon"}},"host":{{"name":"{host}.nordwind.example"}},'
        f'"log":{{"level":"information"}},"winlog":{{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"{host}.nordwind.example","event_data":{{'
        f'"RuleName":"-","UtcTime":"{at:%Y-%m-%d %H:%M:%S}.{n % 1000:03}","ProcessGuid":"{{{r.randbytes(16).hex()}}}","ProcessId":"{r.randrange(300, 60000)}",'
        f'"Image":"{path_json}","CommandLine":"{line}","CurrentDirectory":"C:\\\\Windows\\\\system32\\\\",'
        f'"User":"NORDWIND\\\\{user}","IntegrityLevel":"Medium","Hashes":"SHA256={(image.encode().hex() * 8)[:64]}","ParentImage":"C:\\\\Windows\\\\explorer.exe",'
        f'"ParentCommandLine":"C:\\\\Windows\\\\explorer.exe","ParentUser":"NORDWIND\\\\{user}"}},"event_id":"1","provider_name":"Microsoft-Windows-Sysmon","record_id":"{n}"}},'
        f'"agent":{{"type":"winlogbeat","version":"8.15.0"}}}}'
    )


MAKERS = {"web": web, "firewall": firewall, "ssh": ssh, "zeek": zeek, "sysmon": sysmon}


def main():
    folder, events = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for kind, share in SHARES.items():
        r = random.Random(f"{kind} {events}")
        count = int(events * share)
        needles = {count // 5, count // 2, count - count // 7} if kind == "ssh" else set()
        for first in range(0, count, PER_FILE):
            suffix = "ndjson" if kind in ("zeek", "sysmon") else "log"
            with open(folder / f"{kind}-{first // PER_FILE:03}.{suffix}", "w") as file:
                for n in range(first, min(first + PER_FILE, count)):
                    line = MAKERS[kind](r, BEGIN + SPAN * (n / count), n)
                    if n in needles:
                        line += f" {NEEDLE}"
                    file.write(line + "\n")


main()
