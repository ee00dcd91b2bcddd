"""Two relayers with one key: claims keep them apart, and nothing is lost or doubled where a claim
is lost in the middle of a cycle."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone
from web3 import Web3

from fairlane.core import checkpoints
from fairlane.core.models import Work
from sandbox.evm import RELAYERS
from stablecoin import stages
from stablecoin.models import Relayer, Request, Transaction
from stablecoin.stage_names import RELAY
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 30


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Threads that stand for other processes, each with a connection of its own."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


class Halt:
    """Holds the first who comes to a checkpoint there until it may go on."""

    def __init__(self, point: str) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._point = point

    def __call__(self, name: str) -> None:
        if name == self._point and not self.reached.is_set():
            self.reached.set()
            assert self.go_on.wait(PATIENCE_S)


@pytest.fixture
def halt(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Halt:
    """At the point that the test is parametrised with."""
    halt = Halt(f"stablecoin.relay.{request.param}")
    monkeypatch.setattr(checkpoints, "_observers", [halt])
    return halt


def relay_and_close() -> None:
    try:
        driving.relay()
    finally:
        connections.close_all()


def sent_by(outside: Outside) -> int:
    address = Web3.to_checksum_address(RELAYERS[CHAIN].address)
    return outside.web3.eth.get_transaction_count(address)


def assert_minted_once(outside: Outside, mints: int, *, before: int) -> None:
    assert Request.objects.filter(status="COMPLETED").count() == mints
    assert outside.supply == mints * TOKEN
    assert sent_by(outside) == before + mints
    nonces = list(Transaction.objects.order_by("nonce").values_list("nonce", flat=True))
    assert nonces == list(range(before, before + mints))
    assert Transaction.objects.values("request").distinct().count() == mints
    assert Relayer.objects.get().next_nonce == before + mints
    driving.assert_books_agree(outside)


@pytest.mark.parametrize(
    "halt",
    ["observed", "before_confirm", "confirmed", "stored", "sent", "recorded"],
    indirect=True,
)
def test_who_was_overtaken_in_mid_cycle_changes_nothing_any_more(
    outside: Outside, other: ThreadPoolExecutor, halt: Halt
) -> None:
    before = sent_by(outside)
    driving.signed(outside, 3)
    late = other.submit(relay_and_close)
    assert halt.reached.wait(PATIENCE_S)
    # Its lease is over: another takes the relayer, sends, and sees the first of them mined.
    driving.relay()
    outside.mine()
    driving.relay()
    halt.go_on.set()
    late.result(PATIENCE_S)
    driving.age()
    driving.finish(outside)
    assert_minted_once(outside, 3, before=before)


def test_both_at_work_for_a_while_send_everything_once(
    outside: Outside, other: ThreadPoolExecutor
) -> None:
    """They take turns as the claims have it; now and then a claim is taken from whoever has it."""
    before = sent_by(outside)
    mints = 24
    enough = threading.Event()

    def work() -> None:
        try:
            while not enough.is_set():
                Work.objects.filter(stage=RELAY, claim_id=None).update(due_at=timezone.now())
                stages.stage(RELAY).run()
        finally:
            connections.close_all()

    workers = [other.submit(work) for _ in range(2)]
    try:
        for _ in range(3):
            driving.signed(outside, mints // 3)
            driving.run(RELAY)
            outside.mine()
        for _ in range(200):
            if Request.objects.filter(status="COMPLETED").count() == mints:
                break
            outside.mine()
            driving.listen()
    finally:
        enough.set()
        for worker in workers:
            worker.result(PATIENCE_S)
    assert_minted_once(outside, mints, before=before)
