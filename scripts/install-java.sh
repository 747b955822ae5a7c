#!/usr/bin/env bash
# Make sure that a Java 17 runtime is there for the tests that run the detection steps on Apache Spark.
# Debian and Ubuntu only. Never fails: where Java cannot be had, those tests are skipped and pytest's summary says so.
set -u
. "$(dirname "$0")/apt.sh"

version() {
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'
}

have="$(version || true)"
if ! [ "${have:-0}" -ge 17 ] 2>/dev/null; then
    apt_install "the Spark tests" openjdk-17-jre-headless
fi
exit 0
