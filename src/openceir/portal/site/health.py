"""Two pages for those who run the machine: `/livez` (the process answers), `/readyz` (it may be asked)."""

import shutil

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from openceir.portal import moment
from openceir.portal.register import register
from openceir.portal.site.models import Heartbeat

__all__ = ["livez", "readiness", "readyz"]

_LEAST_FREE_OCTETS = 64 << 20
_WORKER_IS_LATE_AFTER_S = 180


def livez(request: HttpRequest) -> JsonResponse:
    """Whether the process answers; touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Whether database, register, disk and worker are as they should be; each by name. 503 when one is not."""
    checks = readiness()
    ready = all(text == "ok" for text in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def readiness() -> dict[str, str]:
    """`ok` for each, or what is wrong and what to do."""
    checks: dict[str, str] = {}
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    checks["database"] = (
        "ok" if not missing else f"{len(missing)} migrations are missing; start it once with `openceir serve`"
    )
    register().catch_up()
    checks["register"] = "ok"
    free = shutil.disk_usage(settings.OPENCEIR_HOME).free
    checks["disk"] = "ok" if free >= _LEAST_FREE_OCTETS else f"{free >> 20} MB are left"
    beat = Heartbeat.objects.filter(name="worker").first()
    age_s = (moment.now() - beat.at).total_seconds() if beat else None
    late = age_s is None or age_s > _WORKER_IS_LATE_AFTER_S
    checks["worker"] = "has not been heard of lately; deadlines and notices wait" if late else "ok"
    return checks
