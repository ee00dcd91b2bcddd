"""Whether an anchor has landed, behind a balancer over nodes of different age."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from pytest_django import Settings

from batches import stages
from batches.models import Market, Tick
from batches.stage_names import CLOSE, COMMIT
from batches.tests import driving
from batches.tests.driving import place
from batches.tests.outside import Chain
from batches.tests.waiting import until
from chains import registry as adapters


@pytest.fixture
def laggard(chain: Chain) -> Iterator[str]:
    """The node behind a balancer that asks one for statuses which has seen no slot yet."""

    class Balancer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            answer = httpx.post(chain.url, content=asked, headers=_JSON, trust_env=False).content
            if b"getSignatureStatuses" in asked:
                answer = _without_a_view(answer)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Tests are told by their outcome."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Balancer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


_JSON = {"Content-Type": "application/json"}


def _without_a_view(answer: bytes) -> bytes:
    document = json.loads(answer)
    for each in document if isinstance(document, list) else [document]:
        result = each["result"]
        result["context"]["slot"], result["value"] = 0, [None] * len(result["value"])
    return json.dumps(document).encode()


def test_a_node_that_has_not_reached_the_slot_does_not_make_a_tick_fail(
    chain: Chain, market: Market, laggard: str, settings: Settings
) -> None:
    driving.escrowed(place(market, limit=400))

    def closed() -> Tick | None:
        stages.stage(CLOSE).run()
        return Tick.objects.filter(status="CLOSED").first()

    until(closed)
    tick = closed()
    assert tick is not None and tick.target_slot is not None
    target = tick.target_slot
    until(lambda: chain.slot() > target + 5)
    settings.SOLANA_RPC_URL, good = laggard, settings.SOLANA_RPC_URL
    adapters.forget()
    stages.stage(COMMIT).run()
    assert Tick.objects.get(id=tick.id).status == "CLOSED"
    settings.SOLANA_RPC_URL = good
    adapters.forget()
    driving.run_until(lambda: Tick.objects.get(id=tick.id).status == "SETTLED")
