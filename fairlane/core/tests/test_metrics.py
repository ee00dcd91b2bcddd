import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairlane.core import metrics

COUNT = """
import os, sys
from fairlane.core import metrics
metrics.TASKS.labels("a.task", "success").inc(2)
metrics.HTTP_OPEN.inc()
if len(sys.argv) > 1:
    print(metrics.render().decode())
"""


@pytest.fixture
def gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_gauges", {})


def count(directory: Path, *arguments: str) -> str:
    """A process that counts two tasks and, with an argument, renders what all counted."""
    return subprocess.run(
        [sys.executable, "-c", COUNT, *arguments],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_processes_are_added_up_and_the_dead_hold_nothing_open(tmp_path: Path) -> None:
    count(tmp_path)
    count(tmp_path)
    text = count(tmp_path, "render")
    assert 'fairlane_tasks_total{outcome="success",task="a.task"} 6.0' in text
    assert "fairlane_http_requests_open 1.0" in text


@pytest.mark.usefixtures("gauges")
def test_a_gauge_is_read_at_the_scrape() -> None:
    values: dict[tuple[str, ...], float] = {("orders.route",): 1.5}
    metrics.gauge("fairlane_test_oldest", "Age of the oldest", ["stage"])(lambda: values)
    assert b'fairlane_test_oldest{stage="orders.route"} 1.5' in metrics.render()
    values[("orders.route",)] = 2.5
    assert b'fairlane_test_oldest{stage="orders.route"} 2.5' in metrics.render()


@pytest.mark.usefixtures("gauges")
def test_a_gauge_that_fails_does_not_spoil_the_others() -> None:
    def fail() -> metrics.Samples:
        raise RuntimeError

    metrics.gauge("fairlane_test_broken", "Broken")(fail)
    metrics.gauge("fairlane_test_well", "Well")(lambda: {(): 3.0})
    text = metrics.render()
    assert b"fairlane_test_well 3.0" in text
    assert b"fairlane_test_broken" not in text
