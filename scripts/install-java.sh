#!/usr/bin/env bash
# Make sure that a Java 17 runtime is there for the tests that run the detection steps on Apache Spark.
# Debian and Ubuntu only. Never fails: where Java cannot be had, those tests are skipped and pytest's summary says so.
set -u

version() {
    "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'
}

have="$(version || true)"
if [ "${have:-0}" -ge 17 ] 2>/dev/null; then
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo --non-interactive true 2>/dev/null; then
        echo "install-java: no Java 17 here and no right to install it; the Spark tests will be skipped" >&2
        exit 0
    fi
    as_root="sudo --non-interactive"
fi
if ! command -v apt-get >/dev/null; then
    echo "install-java: no Java 17 here and no apt-get; install one yourself to run the Spark tests" >&2
    exit 0
fi

package=openjdk-17-jre-headless
echo "install-java: installing $package for the Spark tests" >&2
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$package" >/dev/null 2>&1; then
    # The package lists of a fresh machine are empty or old.
    $as_root apt-get update --quiet >/dev/null 2>&1
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$package" >/dev/null; then
        echo "install-java: $package could not be installed; the Spark tests will be skipped" >&2
    fi
fi
exit 0
