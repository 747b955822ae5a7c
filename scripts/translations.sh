#!/usr/bin/env bash
# Collect the portal's texts into its catalogues, one an app and language, and compile them. Needs gettext.
#   scripts/translations.sh [app …]     without names: every app
# What is new stands with an empty msgstr in src/openceir/portal/APP/locale/LANGUAGE/LC_MESSAGES/django.po: fill it, run
# this again, and commit the .po and .mo files. tests/portal/site/test_translations.py holds all of them complete.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$PWD/.venv/bin/python"
cd src/openceir/portal
for app in "${@:-$(ls -d */ | tr -d /)}"; do
    for one in $app; do
        [ -f "$one/apps.py" ] || continue
        mkdir -p "$one/locale"
        (
            cd "$one"
            # -P: the folder itself must not be searched for modules, it has a rules.py
            OPENCEIR_HOME=/nonexistent "$python" -P -m openceir.portal makemessages --no-location --no-obsolete -v0 \
                -l fr -l ar -l es -l pt -l hi
            OPENCEIR_HOME=/nonexistent "$python" -P -m openceir.portal compilemessages -v0
        )
    done
done
