#!/usr/bin/env bash
# Install Debian's PostgreSQL, server and client programs, for the tests that run the portal on it.
# Debian and Ubuntu only. Never fails: where it cannot be had, those tests are skipped and pytest's summary says so.
set -u
. "$(dirname "$0")/apt.sh"

compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && exit 0
apt_install "the portal's tests on PostgreSQL" postgresql && apt_leave_stopped postgresql
exit 0
