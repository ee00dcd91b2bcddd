"""A market's fees: earned in batches, and paid out of the vault once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from batches import fees, ledger
from batches.fees import FeesError
from batches.models import Batch, Market, Transfer
from batches.records import Side
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, OWNER_ADDRESSES, OWNERS, QUOTE, Chain
from fairlane.core.models import AuditEntry
from fairlane.core.tests.concurrency import at_the_same_time
from orders.amounts import to_text

pytestmark = pytest.mark.django_db(transaction=True)

TREASURY = OWNER_ADDRESSES[5]


def test_what_both_sides_have_paid_is_paid_out_once(chain: Chain, market: Market) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    buy = place(market, limit=500, quantity=7)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=7)
    driving.run_until(lambda: read(buy).status == read(sell).status == "FILLED")
    driving.quiet()
    earned = Batch.objects.get(fills__gt=0).fees
    assert earned == 2 * 7 * 500 * market.tick * market.fee_bps // 10_000
    assert fees.held(market) == {market.quote_mint: earned}
    before = chain.balance(TREASURY, QUOTE)

    def withdraw() -> dict[str, int]:
        try:
            return dict(fees.withdraw(market, wallet=TREASURY, by="tests"))
        except FeesError:
            return {}

    with at_the_same_time(withdraw) as theirs:
        mine = withdraw()
    assert [mine, theirs.result(timeout=20)].count({}) == 1
    assert fees.held(market) == {}
    driving.quiet()
    assert chain.balance(TREASURY, QUOTE) == before + earned
    assert Transfer.objects.get(reference__isnull=False).status == "DONE"
    assert ledger.balances(market.quote_mint)["payable"] == 0
    driving.assert_books_agree(chain, vault)
    (entry,) = AuditEntry.objects.filter(action="market.withdraw_fees")
    assert entry.after is not None and entry.after[market.quote_mint] == str(earned)


def test_the_command_says_what_it_pays_and_to_whom(chain: Chain, market: Market) -> None:
    with pytest.raises(CommandError, match="holds no fees"):
        call_command("withdraw_fees", market.name, f"--to={TREASURY}")
    with pytest.raises(CommandError, match="there is no market"):
        call_command("withdraw_fees", "JUP-EURC", f"--to={TREASURY}")
    with pytest.raises(CommandError, match="invalid address value"):
        call_command("withdraw_fees", market.name, "--to=nobody")
    journal = ledger.Journal()
    journal.add(ledger.charged("tests", market.id, market.quote_mint, 1_250_000))
    journal.post()
    said = StringIO()
    call_command("withdraw_fees", market.name, f"--to={TREASURY}", stdout=said)
    assert said.getvalue() == f"{to_text(1_250_000, QUOTE.decimals)} USDC for {TREASURY}\n"
