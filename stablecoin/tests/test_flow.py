"""A mint and a redeem from the first word to the final block, stage by stage, on real parts."""

import pytest

from sandbox.evm import HOLDERS, OUTSIDER
from stablecoin import ledger
from stablecoin.models import ChainLog, Request
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

WAY = ["RECEIVED", "QUEUED", "SIGNING", "SIGNED", "SUBMITTED", "MINED", "COMPLETED"]


def test_an_approved_mint_is_minted_once_and_entered_in_the_ledger(outside: Outside) -> None:
    holder, before = HOLDERS[0], outside.supply
    name = outside.approve(user=holder.address, amount=str(25 * TOKEN), fiatRef="bank 1")
    driving.hear(outside)
    driving.hear(outside)
    driving.admit_and_sign()
    driving.complete(outside)
    done = driving.request(name)
    assert driving.history(done.id) == WAY
    assert outside.supply == before + 25 * TOKEN
    assert -ledger.balances(CHAIN)["issued"] == 25 * TOKEN
    assert done.transaction_hash == ChainLog.objects.get(request_id=name).transaction_hash


def test_what_a_holder_gives_up_is_burned_after_approval(outside: Outside) -> None:
    holder = HOLDERS[1]
    outside.approve(user=holder.address, amount=str(10 * TOKEN))
    driving.hear(outside)
    driving.admit_and_sign()
    driving.complete(outside)
    before = outside.supply
    outside.redeem(holder, 4 * TOKEN)
    outside.mine(5)
    driving.listen()
    redeem = Request.objects.get(kind="redeem")
    assert redeem.status == "RECEIVED"
    assert ledger.balances(CHAIN)["locked"] == 4 * TOKEN
    driving.admit_and_sign()
    driving.complete(outside)
    assert driving.history(redeem.id) == WAY
    assert outside.supply == before - 4 * TOKEN
    assert sum(ledger.balances(CHAIN).values()) == 0
    assert ledger.balances(CHAIN)["locked"] == 0


def test_who_was_not_identified_gets_nothing(outside: Outside) -> None:
    name = outside.approve(user=OUTSIDER.address, amount=str(TOKEN))
    driving.hear(outside)
    driving.admit_and_sign()
    refused = driving.request(name)
    assert (refused.status, refused.rule) == ("REJECTED", "kyc")
