"""What a relayer pays on a real chain: spikes, caps, empty accounts, and operators' wishes."""

from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django import Settings
from structlog.testing import capture_logs
from structlog.typing import EventDict

from fairlane.core.errors import Problem
from fairlane.core.principals import ALL, Principal
from sandbox import evm
from stablecoin import services
from stablecoin.models import Attempt, Relayer, Request, Transaction
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

GWEI = 10**9


@pytest.fixture
def operator() -> Principal:
    return Principal("user", "1", "operator", frozenset(), ALL)


def spike(outside: Outside, gwei: int | None) -> None:
    """Have the next block ask for this base fee; None leaves it to the chain again."""
    base_fee = None if gwei is None else gwei * GWEI
    evm.knobs(outside.evm.url, CHAIN, base_fee=base_fee)


def attempts() -> list[Attempt]:
    return list(Attempt.objects.order_by("number"))


def status(request: Request) -> str:
    return Request.objects.get(id=request.id).status


def events(told: list[EventDict]) -> list[object]:
    return [entry["event"] for entry in told]


def test_a_fee_spike_is_followed(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    spike(outside, 40)
    outside.mine()
    assert status(mint) == "SUBMITTED"
    driving.relay()
    first, second = attempts()
    assert first.max_fee < 40 * GWEI < second.max_fee
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert Request.objects.get(id=mint.id).transaction_hash == second.hash
    assert outside.supply == TOKEN


def test_fees_rise_by_thirteen_hundredths_up_to_the_cap_and_wait_there(
    outside: Outside, settings: Settings
) -> None:
    settings.STABLECOIN_MAX_FEE_GWEI = 5
    (mint,) = driving.signed(outside)
    driving.relay()
    with capture_logs() as told:
        for _ in range(12):
            driving.grow_old()
            driving.relay()
    assert "relayer.at_fee_cap" not in events(told)
    fees = [int(a.max_fee) for a in attempts()]
    assert all(b == -(-a * 113 // 100) for a, b in pairwise(fees))
    assert fees[-1] <= 5 * GWEI < fees[-1] * 1.13
    with capture_logs() as told:
        driving.age()
        driving.relay()
    assert "relayer.at_fee_cap" in events(told)
    assert len(attempts()) == len(fees)
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert Transaction.objects.count() == 1


def test_above_the_cap_everything_waits_until_the_chain_is_cheaper(
    outside: Outside, settings: Settings
) -> None:
    settings.STABLECOIN_MAX_FEE_GWEI = 5
    spike(outside, 50)
    outside.mine()
    mints = driving.signed(outside, 3)
    for _ in range(3):
        driving.age()
        driving.relay()
        outside.mine()
    assert {int(a.max_fee) for a in attempts()} == {5 * GWEI}
    assert Attempt.objects.count() == 3
    spike(outside, 1)
    outside.mine()
    driving.age()
    driving.finish(outside)
    assert {status(m) for m in mints} == {"COMPLETED"}
    assert outside.supply == 3 * TOKEN


def test_a_chain_that_stands_still_makes_nothing_dearer(
    outside: Outside, settings: Settings
) -> None:
    """No block has passed it over, however long it waits."""
    settings.STABLECOIN_BUMP_SECONDS = 0
    driving.signed(outside)
    driving.relay()
    driving.relay()
    assert len(attempts()) == 1


def test_an_empty_account_is_told_of_once_and_pays_no_more_later(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    relayer = evm.RELAYERS[CHAIN].address
    evm.rpc(outside.evm.url, CHAIN, "anvil_setBalance", relayer, hex(10**9))
    with capture_logs() as told:
        driving.relay()
        driving.grow_old()
        driving.age()
        driving.relay()
        driving.relay()
    assert events(told).count("relayer.low_balance") == 1
    assert "relayer.send_answered" in events(told)
    assert Relayer.objects.get().balance == 10**9
    assert status(mint) == "SIGNED"
    evm.rpc(outside.evm.url, CHAIN, "anvil_setBalance", relayer, hex(10**20))
    Attempt.objects.update(created_at=timezone.now())
    driving.age()
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert len(attempts()) == 1


def test_an_operator_speeds_up_what_waits(outside: Outside, operator: Principal) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    services.speed_up(transaction_id=Transaction.objects.get().id, by=operator, reason="urgent")
    driving.relay()
    first, second = attempts()
    assert second.max_fee >= first.max_fee * 113 // 100
    driving.relay()
    assert len(attempts()) == 2
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert Request.objects.get(id=mint.id).transaction_hash == second.hash


def test_what_is_cancelled_may_be_mined_all_the_same(outside: Outside, operator: Principal) -> None:
    """The first attempt wins the race: the request is done, and not under review."""
    (mint,) = driving.signed(outside)
    driving.relay()
    services.cancel_transaction(
        transaction_id=Transaction.objects.get().id, by=operator, reason="wrong account"
    )
    driving.relay()
    first, second = attempts()
    assert second.cancels
    evm.rpc(outside.evm.url, CHAIN, "anvil_dropAllTransactions")
    outside.web3.eth.send_raw_transaction(bytes(first.raw))
    outside.mine()
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert outside.supply == TOKEN
    driving.assert_books_agree(outside)


def test_what_is_cancelled_is_not_sent_again(outside: Outside, operator: Principal) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    transaction = Transaction.objects.get()
    services.cancel_transaction(transaction_id=transaction.id, by=operator, reason="wrong account")
    driving.relay()
    with pytest.raises(Problem, match="cancelled"):
        services.speed_up(transaction_id=transaction.id, by=operator, reason="slow")
    driving.finish(outside)
    driving.finish(outside)
    assert status(mint) == "REVIEW"
    assert Transaction.objects.count() == 1
    assert outside.supply == 0


def test_an_operator_lets_a_cancelled_request_go_on(outside: Outside, operator: Principal) -> None:
    """With a new approval, once the old one cannot be mined any more."""
    (mint,) = driving.signed(outside)
    driving.relay()
    services.cancel_transaction(
        transaction_id=Transaction.objects.get().id, by=operator, reason="too early"
    )
    driving.finish(outside)
    assert status(mint) == "REVIEW"
    services.retry(request_id=mint.id, by=operator, reason="now")
    driving.admit_and_sign()
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert outside.supply == TOKEN
    driving.assert_books_agree(outside)
