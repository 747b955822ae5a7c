#!/usr/bin/env bash
# Make the reader of bar codes for the check page anew from the npm registry: pinned version, no host named in it.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
into="$here/src/openceir/portal/citizens/static/citizens/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts zxing-wasm@3.1.6
npm install --silent --no-audit --no-fund esbuild@0.28.2
echo "export { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';" >entry.js
npx esbuild entry.js --bundle --format=esm --minify --target=es2020 --legal-comments=inline --outfile=zxing-reader.js
# its usual place for the wasm file is a network of others; scan.js names ours
sed -i 's#https://[a-z.]*jsdelivr\.net/npm/#absent/#g' zxing-reader.js
! grep -o 'https\?://[a-z0-9.]*\.[a-z]*' zxing-reader.js
mkdir -p "$into"
cp zxing-reader.js "$into/"
cp node_modules/zxing-wasm/dist/reader/zxing_reader.wasm "$into/"
cp node_modules/zxing-wasm/LICENSE "$into/zxing-LICENSE.txt"
gzip --best --no-name --keep --force "$into/zxing-reader.js" "$into/zxing_reader.wasm"
