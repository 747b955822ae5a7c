#!/usr/bin/env bash
# Install what the EIR's tests talk to: Erlang/OTP's Diameter, freeDiameter, tshark as a judge, nghttp2's HTTP/2 clients,
# Osmocom's signalling transfer point, MSC and HLR.
# Debian and Ubuntu only. Never fails: where they cannot be had, those tests are skipped and pytest's summary says so.
set -u

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

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo --non-interactive true 2>/dev/null; then
        echo "install-peers: no right to install ${missing[*]}; the tests with real peers will be skipped" >&2
        exit 0
    fi
    as_root="sudo --non-interactive"
fi
if ! command -v apt-get >/dev/null; then
    echo "install-peers: no apt-get; install ${missing[*]} yourself to run the tests with real peers" >&2
    exit 0
fi

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

echo "install-peers: installing ${missing[*]} for the tests with real peers" >&2
if ! install >/dev/null 2>&1; then
    # The package lists of a fresh machine are empty or old.
    $as_root apt-get update --quiet >/dev/null 2>&1
    if ! install >/dev/null; then
        echo "install-peers: ${missing[*]} could not be installed; the tests with real peers will be skipped" >&2
    fi
fi
# A daemon's package may start it; the tests start their own.
declare -A service=([freediameterd]=freediameter [osmo-stp]=osmo-stp [osmo-hlr]=osmo-hlr [osmo-msc]=osmo-msc)
for each in "${missing[@]}"; do
    if [ -n "${service[$each]:-}" ] && [ -d /run/systemd/system ]; then
        $as_root systemctl disable --now "${service[$each]}" >/dev/null 2>&1
    fi
done
exit 0
