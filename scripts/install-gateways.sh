#!/usr/bin/env bash
# Install what the tests of SMS and USSD talk to: Kannel with its false message centre, and node-smpp as a message centre.
# Debian and Ubuntu only. Never fails: where they cannot be had, those tests are skipped and pytest's summary says so.
set -u
. "$(dirname "$0")/apt.sh"
cd "$(dirname "$0")/.."

missing=()
command -v bearerbox >/dev/null && command -v smsbox >/dev/null || missing+=(kannel)
[ -x /usr/lib/kannel/test/fakesmsc ] || missing+=(kannel-extras)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ "${#missing[@]}" -ne 0 ]; then
    apt_install "the tests of SMS and USSD" "${missing[@]}"
    case " ${missing[*]} " in *" kannel "*) apt_leave_stopped kannel ;; esac
fi

# A folder of the tests' own, not in git. The version is the one that the tests were written against.
peers=tests/portal/channels/peers/node_modules
if [ ! -d "$peers/smpp" ] && command -v npm >/dev/null; then
    npm install --no-save --no-audit --no-fund --no-package-lock --ignore-scripts --prefix tests/portal/channels/peers smpp@0.5.1 >/dev/null 2>&1 \
        || echo "node-smpp cannot be installed; its tests will be skipped" >&2
fi
exit 0
