#!/usr/bin/env bash
# Build the portal's style sheets, left-to-right and right-to-left, from src/openceir/portal/site/scss.
# Needs npm; only whoever changes the look runs it, for the outcome is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=build/css
mkdir -p "$tools"
if [ ! -d "$tools/node_modules/govuk-frontend" ]; then
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tools" \
        govuk-frontend@6.6.0 sass@1.93.2 rtlcss@4.3.0 >&2
fi
site=src/openceir/portal/site
"$tools/node_modules/.bin/sass" --style=compressed --no-source-map --quiet-deps --no-charset --load-path="$tools" \
    "$site/scss/core.scss" "$site/static/site/core.css"
"$tools/node_modules/.bin/rtlcss" --silent "$site/static/site/core.css" "$site/static/site/core.rtl.css"
for sheet in core core.rtl; do
    printf '%s: %s octets, %s compressed\n' "$sheet.css" "$(wc -c <"$site/static/site/$sheet.css")" \
        "$(gzip -9c "$site/static/site/$sheet.css" | wc -c)"
done
# whitenoise hands these to every browser that takes gzip, which is all of them
for sheet in core core.rtl; do
    gzip -9nc "$site/static/site/$sheet.css" >"$site/static/site/$sheet.css.gz"
done
