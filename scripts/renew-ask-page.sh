#!/usr/bin/env bash
# Make src/openceir/http/ask/noble-ristretto255.js anew from the npm registry: pinned versions, one file, no host named in it.
# Needs node and npm. Nothing else of node is used, at run time none.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @noble/curves@2.4.0 @noble/hashes@2.4.0 esbuild@0.28.2
cat > entry.js <<'JS'
export { ristretto255, ristretto255_oprf, ed25519 } from '@noble/curves/ed25519.js';
export { sha256 } from '@noble/hashes/sha2.js';
JS
npx esbuild entry.js --bundle --format=esm --minify --target=es2020 --legal-comments=inline --outfile=noble-ristretto255.js
cp noble-ristretto255.js "$here/src/openceir/http/ask/"
cp node_modules/@noble/curves/LICENSE "$here/src/openceir/http/ask/noble-LICENSE.txt"
