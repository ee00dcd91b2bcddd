"""The relayer on a real chain: crashes, and what nodes forget or cannot answer."""

import pytest

from fairlane.core import checkpoints
from sandbox import evm
from stablecoin.models import Attempt, Relayer, Request, Transaction
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_observers", [])


@pytest.mark.parametrize(
    "point", ["observed", "before_confirm", "confirmed", "stored", "sent", "recorded"]
)
def test_a_crash_anywhere_mints_once(outside: Outside, interrupt: None, point: str) -> None:
    """Killed on its way, and gone on with by the next cycle."""
    before = outside.supply
    (request,) = driving.signed(outside)

    def kill(name: str) -> None:
        if name == f"stablecoin.relay.{point}":
            checkpoints._observers.clear()
            raise Killed

    checkpoints.observe(kill)
    with pytest.raises(Killed):
        driving.relay()
    driving.finish(outside)
    request.refresh_from_db()
    assert request.status == "COMPLETED"
    assert outside.supply == before + TOKEN
    assert Transaction.objects.filter(request=request).count() == 1


def test_requests_of_a_cycle_share_it(outside: Outside) -> None:
    before = outside.supply
    requests = driving.signed(outside, 5)
    driving.relay()
    nonces = list(Transaction.objects.order_by("nonce").values_list("nonce", flat=True))
    assert nonces == list(range(nonces[0], nonces[0] + 5))
    driving.finish(outside)
    assert Request.objects.filter(status="COMPLETED").count() == len(requests)
    assert outside.supply == before + 5 * TOKEN


def test_what_a_node_forgot_is_sent_again(outside: Outside) -> None:
    (request,) = driving.signed(outside)
    for node in ("a", "b"):
        evm.knobs(outside.evm.url, CHAIN, node, drop_sends=True)
    driving.relay()
    evm.heal(outside.evm.url, CHAIN)
    driving.age()
    driving.finish(outside)
    request.refresh_from_db()
    assert request.status == "COMPLETED"
    assert Attempt.objects.filter(transaction__request=request).count() == 1


def test_a_transaction_that_waits_too_long_is_offered_more(outside: Outside) -> None:
    (request,) = driving.signed(outside)
    driving.relay()
    # It is sent again now and then, which is no reason to be patient anew.
    driving.grow_old()
    driving.relay()
    first, second = Attempt.objects.filter(transaction__request=request).order_by("number")
    assert second.max_fee * 10 >= first.max_fee * 11
    assert second.priority_fee * 10 >= first.priority_fee * 11
    driving.finish(outside)
    request.refresh_from_db()
    assert request.status == "COMPLETED"
    assert request.transaction_hash == second.hash


def test_a_nonce_that_was_used_elsewhere_is_passed_over(outside: Outside) -> None:
    """Somebody sends from the relayer's account by hand."""
    relayer = evm.RELAYERS[CHAIN]
    outside.transact_plain(relayer)
    (request,) = driving.signed(outside)
    driving.relay()
    driving.relay()
    driving.finish(outside)
    request.refresh_from_db()
    assert request.status == "COMPLETED"
    used = Transaction.objects.get(request=request).nonce
    assert Relayer.objects.get().next_nonce == used + 1


def test_a_chain_out_of_reach_fails_nothing(outside: Outside) -> None:
    (request,) = driving.signed(outside)
    for node in ("a", "b"):
        evm.knobs(outside.evm.url, CHAIN, node, http_status=503)
    driving.relay()
    request.refresh_from_db()
    assert request.status == "SIGNED"
    assert Relayer.objects.get().error
