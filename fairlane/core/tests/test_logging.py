import json
import logging
from io import StringIO
from queue import Queue

import pytest
import structlog
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.conf import settings

from fairlane.core import logging as fairlane_logging
from fairlane.core import request_ids
from fairlane.core.logging import redact

KEY = "flk_" + "A" * 43


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "anything"),
        ("api_key", "anything"),
        ("password", "hunter2"),
        ("event", f"called with {KEY}"),
        ("url", "postgresql://fairlane:hunter2@db/fairlane"),
        ("path", "/sign-in/Zm9vYmFyYmF6"),
        ("path", "/ws/feed?topics=a&ticket=Zm9vYmFyYmF6"),
        ("event", f"keypair {list(range(64))}"),
        ("data", list(range(64))),
        ("headers", {"Authorization": "Bearer x.y.z", "Cookie": "sessionid=1"}),
    ],
)
def test_secrets_are_hidden(name: str, value: object) -> None:
    shown = str(redact(None, "info", {name: value}))
    assert "[hidden]" in shown
    secrets = ("anything", "hunter2", KEY, "Zm9vYmFyYmF6", "62, 63", "x.y.z", "sessionid=1")
    assert [secret for secret in secrets if secret in shown] == []


def test_what_is_no_secret_stays() -> None:
    event = {"event": "order_confirmed", "input_token": "USDC", "amount": 12, "tags": ["a", "b"]}
    assert redact(None, "info", dict(event)) == event


def test_both_kinds_of_loggers_write_the_same_json() -> None:
    out = StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        fairlane_logging.configure({"level": "INFO", "format": "json"})
        root.handlers[0].setStream(out)  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id="r-12345678"):
            structlog.get_logger("ours").info("order_sent", order_id="1")
            logging.getLogger("theirs").warning("key %s", KEY)
    finally:
        fairlane_logging.configure(settings.LOGGING)
        root.handlers, root.level = before, level
    ours, theirs = (json.loads(line) for line in out.getvalue().splitlines())
    assert (ours["event"], ours["order_id"], ours["request_id"]) == (
        "order_sent",
        "1",
        "r-12345678",
    )
    assert (theirs["event"], theirs["request_id"]) == ("key [hidden]", "r-12345678")


@pytest.mark.filterwarnings("ignore")  # Celery's worker, run in a thread, is not our code
def test_a_task_has_the_request_id_of_its_sender() -> None:
    seen: Queue[str] = Queue()
    app = Celery("test-request-id", broker=settings.REDIS_URL)
    app.conf.task_default_queue = "test-request-id"

    @app.task(name="test.request_id")
    def note() -> None:
        seen.put(request_ids.current())

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=10):
        with structlog.contextvars.bound_contextvars(request_id="r-of-sender"):
            note.apply_async()
        assert seen.get(timeout=20) == "r-of-sender"
