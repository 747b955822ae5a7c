#!/usr/bin/env bash
# Build the Go program that reads our tiles, checkpoints and cosignatures with other people's code (tests/ledger).
# Never fails: where Go or its module proxy is not at hand, that test is skipped and pytest's summary says so.
set -u

cd "$(dirname "$0")/../tests/ledger/tlog_oracle" || exit 0
if ! command -v go >/dev/null; then
    echo "install-tlog-oracle: there is no go; the test of tiles against other implementations will be skipped" >&2
    exit 0
fi
if ! GOFLAGS=-buildvcs=false go build -o tlog-oracle . ; then
    echo "install-tlog-oracle: go could not build it; the test of tiles against other implementations will be skipped" >&2
fi
exit 0
