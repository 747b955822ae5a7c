"""When these tests take place."""

from datetime import UTC, datetime

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
