# What the installers beside this file share; each of them sources it. Debian and Ubuntu only.
#
# apt_install FOR PACKAGE...: install these packages. When that cannot be, say on standard error which ones and that FOR (such as
# "the Spark tests") will be skipped, and return 1: an installer never fails for it, since tests skip by themselves what they lack.
# apt_leave_stopped SERVICE...: a daemon's package may start it; the tests start their own.
# shellcheck shell=bash

apt_installer=$(basename "$0" .sh)

_apt_as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --non-interactive "$@"; fi
}

_apt_get_install() {
    _apt_as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$@"
}

apt_install() {
    local for_what=$1
    shift
    if ! command -v apt-get >/dev/null; then
        echo "$apt_installer: no apt-get; install $* yourself to run $for_what" >&2
        return 1
    fi
    if ! _apt_as_root true 2>/dev/null; then
        echo "$apt_installer: no right to install $*; $for_what will be skipped" >&2
        return 1
    fi
    echo "$apt_installer: installing $* for $for_what" >&2
    _apt_get_install "$@" >/dev/null 2>&1 && return 0
    # The package lists of a fresh machine are empty or old.
    _apt_as_root apt-get update --quiet >/dev/null 2>&1
    _apt_get_install "$@" >/dev/null && return 0
    echo "$apt_installer: $* could not be installed; $for_what will be skipped" >&2
    return 1
}

apt_leave_stopped() {
    if [ -d /run/systemd/system ]; then
        _apt_as_root systemctl disable --now "$@" >/dev/null 2>&1 || true
    fi
}
