#!/usr/bin/env bash
# Install what the EIR's tests talk to: Erlang/OTP's Diameter, freeDiameter, tshark as a judge, nghttp2's HTTP/2 clients,
# Osmocom's signalling transfer point, MSC and HLR.
# Debian and Ubuntu only. Never fails: where they cannot be had, those tests are skipped and pytest's summary says so.
set -u
. "$(dirname "$0")/apt.sh"

missing=()
command -v freeDiameterd >/dev/null || missing+=(freediameterd)
command -v tshark >/dev/null && command -v text2pcap >/dev/null || missing+=(tshark)
compgen -G '/usr/lib/erlang/lib/diameter-*/include/diameter.hrl' >/dev/null || missing+=(erlang-diameter erlang-dev)
command -v h2load >/dev/null && command -v nghttp >/dev/null || missing+=(nghttp2-client)
command -v osmo-stp >/dev/null || missing+=(osmo-stp)
command -v osmo-hlr >/dev/null || missing+=(osmo-hlr)
command -v osmo-msc >/dev/null || missing+=(osmo-msc)
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi

apt_install "the tests with real peers" "${missing[@]}"
declare -A service=([freediameterd]=freediameter [osmo-stp]=osmo-stp [osmo-hlr]=osmo-hlr [osmo-msc]=osmo-msc)
for each in "${missing[@]}"; do
    [ -z "${service[$each]:-}" ] || apt_leave_stopped "${service[$each]}"
done
exit 0
