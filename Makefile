# Two commands set everything up: `make demo` shows Tandem at work, `make test` checks it.
.POSIX:
.PHONY: demo test setup build console

CARGO = cargo

demo: build
	./target/debug/tandem demo

test: setup console
	$(CARGO) run --quiet --package xtask -- test

build: setup console
	$(CARGO) build --workspace

console: setup
	$(CARGO) run --quiet --package xtask -- console

setup:
	@sh scripts/setup.sh
