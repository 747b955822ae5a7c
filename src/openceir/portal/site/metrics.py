"""`/metrics`: what Prometheus reads. Counts of what the processes did, and how things stand as it asks.

No device, person, reference or path stands there. It is closed unless the setting `portal.metrics_secret_file` names
a file; whoever scrapes shows what is in it. An address would not do: behind a proxy everybody has the proxy's.
"""

import hmac
import os
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django_tasks_db.models import DBTaskResult
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from openceir.portal import (
    counted,  # noqa: F401 -- what is counted is there before anything was
    moment,
)
from openceir.portal.accounts.models import Alarm
from openceir.portal.cases.models import Case, Deadline, Notice
from openceir.portal.register import register
from openceir.portal.site.health import readiness
from openceir.portal.site.models import Heartbeat
from openceir.portal.site.secret import shared_secret
from openceir.storage.list_drift import drifts

__all__ = ["metrics"]


def metrics(request: HttpRequest) -> HttpResponse:
    """The page. 404 where no secret is set, 401 for another one."""
    secret = shared_secret(settings.OPENCEIR_HOME, settings.OPENCEIR.portal_metrics_secret_file)
    if not secret:
        raise Http404
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(shown.encode("utf-8", "replace"), secret.encode()):
        return HttpResponse("show the secret of portal.metrics_secret_file\n", status=401, content_type="text/plain",
                            headers={"WWW-Authenticate": "Bearer"})  # fmt: skip
    registry = CollectorRegistry()
    registry.register(_Standing())
    counts = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(counts)
    else:
        counts = REGISTRY
    return HttpResponse(generate_latest(counts) + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Standing:
    """How things stand now."""

    def collect(self) -> Iterator[Metric]:
        """Each family once."""
        now = moment.now()
        yield from _of_register()
        yield from _of_cases(now)
        yield from _of_worker(now)
        ready = GaugeMetricFamily("openceir_portal_ready", "1 for what /readyz calls ok.", labels=["check"])
        for name, text in readiness().items():
            ready.add_metric([name], float(text == "ok"))
        yield ready


def _of_register() -> Iterator[Metric]:
    book = register()
    size = book.ledger.size
    yield GaugeMetricFamily("openceir_log_entries", "Statements in the log.", size)
    unapplied = max(size - book.claims.applied_size, 0)
    yield GaugeMetricFamily(
        "openceir_log_unapplied", "Of these, not yet in the claims that answers rest on.", unapplied
    )
    behind = GaugeMetricFamily(
        "openceir_list_behind", "1 where an operator holds an older list than the newest.", labels=["operator", "kind"]
    )
    differs = GaugeMetricFamily(
        "openceir_list_differs",
        "1 where an operator holds other rows than were delivered.",
        labels=["operator", "kind"],
    )
    for one in drifts(book.list_runs):
        behind.add_metric([one.operator, one.kind], float(one.is_behind))
        differs.add_metric([one.operator, one.kind], float(one.differs))
    yield behind
    yield differs


def _of_cases(now: datetime) -> Iterator[Metric]:
    waits = GaugeMetricFamily("openceir_cases_open", "Cases that are not closed.", labels=["kind", "state"])
    oldest = GaugeMetricFamily("openceir_case_oldest_seconds", "Age of the oldest open case.", labels=["kind"])
    first: dict[str, datetime] = {}
    for kind, state, count, since in (
        Case.objects.filter(closed_at=None)
        .values_list("kind", "state")
        .annotate(all=Count("pk"), since=Min("opened_at"))
        .order_by()
    ):
        waits.add_metric([kind, state], count)
        first[kind] = min(since, first.get(kind, since))
    for kind, since in first.items():
        oldest.add_metric([kind], (now - since).total_seconds())
    yield waits
    yield oldest
    overdue = Deadline.objects.filter(done_at=None, due_at__lt=now).count()
    yield GaugeMetricFamily("openceir_deadlines_overdue", "Deadlines that passed and were not kept yet.", overdue)
    late = Notice.objects.filter(sent_at=None, due_at__lt=now).exclude(channel="page").count()
    yield GaugeMetricFamily("openceir_notices_waiting", "Notices that are due and not sent.", late)
    unseen = Alarm.objects.filter(seen_at=None).count()
    yield GaugeMetricFamily("openceir_alarms_unseen", "Alarms that no supervisor looked at.", unseen)


def _of_worker(now: datetime) -> Iterator[Metric]:
    tasks = GaugeMetricFamily("openceir_tasks", "Tasks of the worker by status.", labels=["status"])
    for status, count in DBTaskResult.objects.values_list("status").annotate(all=Count("pk")).order_by():
        tasks.add_metric([str(status)], count)
    yield tasks
    beat = GaugeMetricFamily("openceir_heartbeat_seconds", "Since a process was last heard of.", labels=["process"])
    for one in Heartbeat.objects.all():
        beat.add_metric([one.name], (now - one.at).total_seconds())
    yield beat
