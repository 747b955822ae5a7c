#!/usr/bin/env bash
# Build the consensus engine that the tests of the consortium run against, into .tools/cometbft-VERSION of this project.
# Needs Go 1.22 (1.25 for 0.40). Never fails: where it cannot be had, those tests are skipped and pytest's summary says so.
#
# Why these: 0.38.26 is the newest of the supported 0.38 line, 0.40.0 the newest of all when this was written.
# 0.38.24 cannot be installed: Go's checksum database does not know it, and switching the database off is out of question.
set -u
cd "$(dirname "$0")/.." || exit 0

if ! command -v go >/dev/null; then
    echo "install-cometbft: no Go; the tests with the real consensus engine will be skipped" >&2
    exit 0
fi
# build VERSION NAME [OPTION…]: into .tools/cometbft-NAME
build() {
    version=$1 folder="$PWD/.tools/cometbft-$2"
    shift 2
    mkdir -p .tools
    [ -x "$folder/cometbft" ] && return
    echo "install-cometbft: building $(basename "$folder"), about a minute" >&2
    if ! GOFLAGS=-mod=mod GOBIN="$folder" nice go install "$@" "github.com/cometbft/cometbft/cmd/cometbft@v$version" >/dev/null 2>"$folder.log"; then
        tail -n 3 "$folder.log" >&2
        echo "install-cometbft: $(basename "$folder") could not be built; its tests will be skipped" >&2
    fi
    rm -f "$folder.log"
}

build 0.38.26 0.38.26
build 0.40.0 0.40.0

# The same engine over a clock that the tests can set (tests/consortium/clock_jump.go says why it takes a build).
time=$(go env GOROOT)/src/time
mkdir -p .tools/clock-jump
sed '/^func Now() Time {/,/^}/ s/^\(\tsec, nsec, mono := .*\)$/\1\n\tsec += jumped.Load()/' "$time/time.go" >.tools/clock-jump/time.go
printf '{"Replace": {"%s": "%s", "%s": "%s"}}\n' "$time/time.go" "$PWD/.tools/clock-jump/time.go" \
    "$time/jumped.go" "$PWD/tests/consortium/clock_jump.go" >.tools/clock-jump/overlay.json
build 0.38.26 0.38.26-clock -overlay="$PWD/.tools/clock-jump/overlay.json"
exit 0
