"""Nonces on a real chain: gaps, other users of the key, approvals that end, and what is in vain."""

from datetime import timedelta

import pytest
from django.db.models import F
from eth_account import Account as EthAccount
from pytest_django import Settings
from structlog.testing import capture_logs
from web3 import Web3

from chains import registry as adapters
from sandbox import evm
from sandbox.evm import DEPLOYER, RELAYERS
from stablecoin.listening import inbox
from stablecoin.models import Approval, Attempt, Relayer, Request, Transaction
from stablecoin.tests import driving
from stablecoin.tests.conftest import CONFIRMATIONS
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)


def use_up(outside: Outside, nonce: int) -> str:
    """Whoever else has the key sends something of this nonce, and pays enough for it."""
    relayer = RELAYERS[CHAIN]
    transfer = {
        "to": Web3.to_checksum_address(relayer.address),
        "nonce": nonce,
        "gas": 21_000,
        "gasPrice": 100 * 10**9,
        "chainId": CHAIN,
    }
    signed = EthAccount.from_key(relayer.key).sign_transaction(transfer)
    return outside.web3.eth.send_raw_transaction(signed.raw_transaction).to_0x_hex()


def count_on_chain(outside: Outside) -> int:
    address = Web3.to_checksum_address(RELAYERS[CHAIN].address)
    return outside.web3.eth.get_transaction_count(address)


def status(request: Request) -> str:
    return Request.objects.get(id=request.id).status


def test_a_gap_is_filled_and_what_waited_behind_it_goes_on(outside: Outside) -> None:
    driving.relay()
    Relayer.objects.update(next_nonce=F("next_nonce") + 3)
    (mint,) = driving.signed(outside)
    with capture_logs() as told:
        driving.relay()
    assert [e["count"] for e in told if e["event"] == "relayer.gaps"] == [3]
    fillers = Transaction.objects.filter(request=None)
    assert fillers.count() == 3
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert not Transaction.objects.exclude(state="FINAL").exists()
    assert Relayer.objects.get().next_nonce == count_on_chain(outside)


def test_a_wide_gap_is_filled_within_the_budget(outside: Outside, settings: Settings) -> None:
    settings.STABLECOIN_IN_FLIGHT = 4
    driving.relay()
    Relayer.objects.update(next_nonce=F("next_nonce") + 1_000_000)
    driving.relay()
    driving.relay()
    assert Transaction.objects.count() == 4


def test_a_nonce_used_by_somebody_else_costs_a_new_one_and_one_only(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    nonce = Transaction.objects.get().nonce
    use_up(outside, nonce)
    outside.mine()
    for _ in range(CONFIRMATIONS):
        driving.age()
        driving.relay()
        # It may be undone yet, and ours be mined: a second one beside it could mint twice.
        assert [t.state for t in Transaction.objects.all()] == ["BROADCAST"]
        outside.mine()
    with capture_logs() as told:
        driving.relay()
    assert "relayer.foreign_transaction" in {entry["event"] for entry in told}
    assert list(Transaction.objects.order_by("nonce").values_list("nonce", "state")) == [
        (nonce, "REPLACED"),
        (nonce + 1, "BROADCAST"),
    ]
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert outside.supply == TOKEN
    driving.assert_books_agree(outside)


def test_a_foreign_transaction_that_is_undone_gives_the_nonce_back(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    use_up(outside, Transaction.objects.get().nonce)
    outside.mine()
    driving.relay()
    assert Transaction.objects.get().overtaken_at is not None
    outside.reorg(1, "drop")
    driving.relay()
    assert Transaction.objects.get().overtaken_at is None
    driving.age()
    driving.finish(outside)
    assert status(mint) == "COMPLETED"
    assert Transaction.objects.count() == 1
    assert outside.supply == TOKEN


def revert(outside: Outside) -> None:
    """What waits is mined while the contract is paused, and comes to nothing."""
    raw = bytes(Attempt.objects.latest("id").raw)
    evm.rpc(outside.evm.url, CHAIN, "anvil_dropAllTransactions")
    outside.transact(DEPLOYER, outside.token.functions.pause())
    outside.web3.eth.send_raw_transaction(raw)
    outside.mine(1 + CONFIRMATIONS)
    outside.transact(DEPLOYER, outside.token.functions.unpause())
    driving.relay()
    outside.mine()
    driving.relay()


def test_what_came_to_nothing_three_times_a_person_looks_at(outside: Outside) -> None:
    """Every try costs gas, and no estimate foresaw any of them."""
    (mint,) = driving.signed(outside)
    driving.relay()
    for tries in (1, 2):
        revert(outside)
        assert status(mint) == "SUBMITTED"
        assert Transaction.objects.count() == tries + 1
    revert(outside)
    assert status(mint) == "REVIEW"
    driving.make_due()
    driving.finish(outside)
    assert Transaction.objects.count() == 3
    assert outside.supply == 0


def test_no_more_than_the_budget_is_under_way(outside: Outside, settings: Settings) -> None:
    settings.STABLECOIN_IN_FLIGHT = 3
    driving.signed(outside, 7)
    for sent in (3, 6, 7):
        driving.relay()
        driving.relay()
        assert Transaction.objects.count() == sent
        outside.mine()
    driving.finish(outside)
    assert Request.objects.filter(status="COMPLETED").count() == 7
    assert outside.supply == 7 * TOKEN


def test_an_approval_that_ended_before_it_was_mined_is_given_anew(outside: Outside) -> None:
    """But not before the old one cannot be mined any more."""
    (mint,) = driving.signed(outside)
    driving.relay()
    old = Approval.objects.get()
    late = int(timedelta(hours=25).total_seconds())
    evm.rpc(outside.evm.url, CHAIN, "evm_increaseTime", late)
    driving.relay()
    assert [a.state for a in Approval.objects.all()] == ["SIGNED"]
    outside.mine()
    driving.relay()
    assert Transaction.objects.get().succeeded is False
    assert [a.state for a in Approval.objects.all()] == ["SIGNED"]
    outside.mine(CONFIRMATIONS)
    driving.relay()
    old.refresh_from_db()
    assert old.state == "VOID"
    assert status(mint) == "QUEUED"
    driving.admit_and_sign()
    assert Approval.objects.filter(state="SIGNED").get().nonce != old.nonce


def test_a_request_that_is_contested_while_it_is_sent_stops_nobody(outside: Outside) -> None:
    """Higher fees are no longer offered for it, only for its nonce, so that others go on."""
    for node in ("a", "b"):
        evm.knobs(outside.evm.url, CHAIN, node, swallow_sends=True)
    (contested,) = driving.signed(outside)
    driving.relay()
    evm.heal(outside.evm.url, CHAIN)
    adapters.forget()
    evm.rpc(outside.evm.url, CHAIN, "anvil_dropAllTransactions")
    (approval,) = outside.pending()
    inbox.store([approval | {"amount": str(2 * TOKEN)}])
    assert status(contested) == "REVIEW"
    driving.age()
    driving.relay()
    driving.grow_old()
    driving.relay()
    assert [a.cancels for a in Attempt.objects.order_by("number")] == [False, True]
    (other,) = driving.signed(outside)
    driving.finish(outside)
    assert status(other) == "COMPLETED"
    assert status(contested) == "REVIEW"
    assert outside.supply == TOKEN
