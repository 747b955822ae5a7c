"""How hypothesis looks for counterexamples: as many as ever, but the same ones each time, and without a clock.

`make test` says the same of the same commit wherever and however often it runs, also on a machine that is busy with
something else: an example has no time limit, and none is too slow to be drawn. To search on where nobody looked yet:
`.venv/bin/pytest --hypothesis-profile=search`.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")
