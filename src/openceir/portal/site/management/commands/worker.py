"""`python -m openceir.portal worker`: the process beside the web server. `openceir serve` starts and ends it."""

import os
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django_tasks_db.management.commands.db_worker import Worker

from openceir.portal import moment
from openceir.portal.clockwork import run_due
from openceir.portal.site.models import Heartbeat

_INTERVAL_S = 1.0


class Command(BaseCommand):
    """Keeps deadlines, sends notices and does tasks until it is told to stop."""

    help = "Keep deadlines, send notices and do the portal's tasks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the command takes."""
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")
        parser.add_argument("--with-parent", action="store_true", help="end when standard input does")

    def handle(self, *, once: bool, with_parent: bool, **options: Any) -> None:
        """Work."""
        if once:
            turn(all_of_them=True)
            return
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        if with_parent:  # a parent that was killed closes its end of the pipe, whatever killed it
            threading.Thread(target=_wait_for_parent, daemon=True).start()
        while not stop.is_set():
            turn()
            stop.wait(_INTERVAL_S)


def turn(*, all_of_them: bool = False) -> None:
    """One round: the heartbeat, what is due by the clock, every task that waits."""
    close_old_connections()
    now = moment.now()
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": now})
    run_due(now, all_of_them=all_of_them)
    Worker(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=f"worker-{os.getpid()}",
        excluded_queue_names=[],
    ).run()


def _wait_for_parent() -> None:
    while os.read(0, 4096):  # not through sys.stdin, whose lock a thread that waits would still hold at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)
