"""What `fund_pool` asks for, and says of deposits that did not happen."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from batches import pools
from batches.models import Market, Transfer
from batches.reserves import Reserves
from batches.tests import driving
from batches.tests.outside import OWNER_ADDRESSES, PURSE, Chain
from batches.tests.test_pooling import FULL, TREASURY, fund, held, keyfile, pooled

__all__ = ["keyfile", "pooled"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_deposit_that_did_not_happen_is_told_and_needs_another_reference(
    chain: Chain, pooled: Market, keyfile: Path
) -> None:
    amounts = {pooled.base_mint: FULL.base, pooled.quote_mint: 2 * PURSE}
    pools.fund(pooled, wallet=OWNER_ADDRESSES[5], amounts=amounts, reference="lame", by="tests")
    driving.quiet()
    with pytest.raises(CommandError, match=r"did not happen.*holds too little.*another reference"):
        fund(pooled, keyfile, "--reference=lame")
    fund(pooled, keyfile, "--reference=better")
    driving.quiet()
    assert held(pooled) == FULL


def test_a_deposit_approves_what_is_still_to_be_pulled_as_well(
    chain: Chain, pooled: Market, keyfile: Path
) -> None:
    chain.approve(TREASURY, amount=1)
    for reference in ("first", "second"):
        fund(pooled, keyfile, f"--reference={reference}")
    driving.quiet()
    chain.approve(TREASURY, amount=PURSE)
    assert held(pooled) == Reserves(2 * FULL.base, 2 * FULL.quote)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--base=1"], "--quote"),
        (["--base=0", "--quote=1"], "--base must be more than 0"),
        (["--base=1", "--quote=0.0000001"], "--quote "),
    ],
    ids=str,
)
def test_both_sides_of_a_deposit_are_asked_for_by_name(
    pooled: Market, keyfile: Path, options: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("fund_pool", pooled.name, f"--from={keyfile}", *options)
    assert not Transfer.objects.exists()
