"""The demo key: kept from start to start, for as long as it may do all that the demo does."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from sandbox import doorman
from sandbox.credentials import remember, remembered
from sandbox.doorman import SCOPES, demo_key
from sandbox.plan import Plan


class _Fairlane(BaseHTTPRequestHandler):
    """Knows one key."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer flk_before"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def running(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plan]:
    """A plan whose Fairlane answers, and whose commands issue `flk_new`."""
    with HTTPServer(("127.0.0.1", 0), _Fairlane) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        monkeypatch.setattr(Plan, "base_url", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(doorman, "manage", lambda *_: "flk_new")
        yield plan
        server.shutdown()
        thread.join()


def test_a_key_that_may_do_everything_is_kept(running: Plan) -> None:
    remember(running.home, demo_key="flk_before", demo_scopes=SCOPES)
    assert demo_key(running) == "flk_before"


def test_a_key_of_a_time_with_fewer_scopes_is_replaced_once(running: Plan) -> None:
    remember(running.home, demo_key="flk_before")
    assert demo_key(running) == "flk_new"
    kept = remembered(running.home)
    assert (kept["demo_key"], kept["demo_scopes"]) == ("flk_new", SCOPES)


def test_a_key_that_the_database_does_not_know_is_replaced(running: Plan) -> None:
    remember(running.home, demo_key="flk_of_another_database", demo_scopes=SCOPES)
    assert demo_key(running) == "flk_new"
