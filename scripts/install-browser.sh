#!/usr/bin/env bash
# Install the browser that the portal's tests use, and gettext, which checks its translations.
# Debian and Ubuntu only. Never fails: where they cannot be had, those tests are skipped and pytest's summary says so.
set -u

missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium)
command -v msgfmt >/dev/null || missing+=(gettext)
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo --non-interactive true 2>/dev/null; then
        echo "install-browser: no right to install ${missing[*]}; their tests will be skipped" >&2
        exit 0
    fi
    as_root="sudo --non-interactive"
fi
if ! command -v apt-get >/dev/null; then
    echo "install-browser: no apt-get; install ${missing[*]} yourself to run the portal's tests whole" >&2
    exit 0
fi

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

echo "install-browser: installing ${missing[*]} for the portal's tests" >&2
if ! install >/dev/null 2>&1; then
    # The package lists of a fresh machine are empty or old.
    $as_root apt-get update --quiet >/dev/null 2>&1
    if ! install >/dev/null; then
        echo "install-browser: ${missing[*]} could not be installed; their tests will be skipped" >&2
    fi
fi
exit 0
