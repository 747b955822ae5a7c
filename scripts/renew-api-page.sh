#!/usr/bin/env bash
# Renew docs/reference/api.json, the description of the portal's API, which a test compares.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
OPENCEIR_HOME=$home DJANGO_SETTINGS_MODULE=openceir.portal.site.settings .venv/bin/python - <<'PYTHON' >docs/reference/api.json
import json

import django

django.setup()
from ninja.responses import NinjaJSONEncoder  # noqa: E402

from openceir.portal.api.operations import api  # noqa: E402

print(json.dumps(api.get_openapi_schema(), indent=2, ensure_ascii=False, cls=NinjaJSONEncoder))
PYTHON
