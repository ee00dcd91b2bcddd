"""Metrics for Prometheus: counted in every process, added up at the scrape."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BYTES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

HTTP_SECONDS = Histogram(
    "fairlane_http_request_seconds",
    "Time to answer a request",
    ["method", "route", "status"],
    buckets=_SECONDS,
)
HTTP_BYTES = Histogram(
    "fairlane_http_response_bytes", "Size of an answer", ["method", "route"], buckets=_BYTES
)
HTTP_OPEN = Gauge(
    "fairlane_http_requests_open", "Requests being answered", multiprocess_mode="livesum"
)
TASK_SECONDS = Histogram("fairlane_task_seconds", "Time a task ran", ["task"], buckets=_SECONDS)
SIGNATURE_SECONDS = Histogram(
    "fairlane_signature_seconds",
    "Time until the key service signed, or did not",
    ["outcome"],
    buckets=_SECONDS,
)
TASKS = Counter("fairlane_tasks", "Tasks that ended", ["task", "outcome"])

Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class _DatabaseGauge:
    name: str
    meaning: str
    labels: tuple[str, ...]
    read: Callable[[], Samples]


_gauges: dict[str, _DatabaseGauge] = {}


def gauge(
    name: str, meaning: str, labels: Sequence[str] = ()
) -> Callable[[Callable[[], Samples]], Callable[[], Samples]]:
    """Register a gauge that is read from the database at each scrape.

    The function gives one value per tuple of label values: `{("orders.route",): 1.5}`; `{(): 3}`
    when there are no labels.
    """

    def register(read: Callable[[], Samples]) -> Callable[[], Samples]:
        _gauges[name] = _DatabaseGauge(name, meaning, tuple(labels), read)
        return read

    return register


def observe_http(*, method: str, route: str, status: int, seconds: float, size: int) -> None:
    """Count one answered request; `route` is the pattern, never the path."""
    method = method if method in _METHODS else "other"
    HTTP_SECONDS.labels(method, route, str(status)).observe(seconds)
    HTTP_BYTES.labels(method, route).observe(size)


def observe_signature(outcome: str, seconds: float) -> None:
    """Count one signature that the key service was asked for; see `chains.kms.Observer`."""
    SIGNATURE_SECONDS.labels(outcome).observe(seconds)


def render() -> bytes:
    """Everything there is, in Prometheus' text format."""
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not directory:
        return generate_latest(_with_gauges(REGISTRY))
    forget_dead(Path(directory))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=directory)  # type: ignore[no-untyped-call]
    return generate_latest(_with_gauges(registry))


def forget_dead(directory: Path) -> None:
    """Drop the live gauges of processes that are gone.

    Their counters and histograms stay: a sum that fell would look like a restart to Prometheus.
    """
    pids = {int(path.stem.rpartition("_")[2]) for path in directory.glob("gauge_live*.db")}
    for pid in pids:
        if not _is_alive(pid):
            mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]


class _Gauges(Collector):
    """The gauges from the database; one that cannot be read is left out and logged."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for item in _gauges.values():
            family = GaugeMetricFamily(item.name, item.meaning, labels=item.labels)
            try:
                samples = item.read()
            except Exception:
                log.exception("gauge_unreadable", gauge=item.name)
                continue
            for labels, value in samples.items():
                family.add_metric(labels, value)
            yield family


class _Both(Collector):
    def __init__(self, first: Collector, second: Collector) -> None:
        self._parts = (first, second)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for part in self._parts:
            yield from part.collect()  # type: ignore[misc]


def _with_gauges(registry: Collector) -> CollectorRegistry:
    both = CollectorRegistry()
    both.register(_Both(registry, _Gauges()))
    return both


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
