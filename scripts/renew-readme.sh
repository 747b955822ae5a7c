#!/usr/bin/env bash
# Put what the demo and `openceir device check` print into README.md, and the packaged policy into its page.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python scripts/renew_readme.py
