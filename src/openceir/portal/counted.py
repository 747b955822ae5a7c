"""The counters themselves. Loading this fixes where they count: call `counters.count_in` before."""

from prometheus_client import Counter, Histogram

__all__ = ["CHECKS", "REQUESTS", "SECONDS"]

REQUESTS = Counter("openceir_portal_requests", "Requests that were answered.", ["route", "method", "status"])
SECONDS = Histogram(
    "openceir_portal_request_seconds",
    "How long answers took, from the first middleware to the last octet but streams.",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
CHECKS = Counter("openceir_portal_checks", "Devices that were asked about.", ["channel"])
