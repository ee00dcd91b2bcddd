"""What a cycle decides from what it has seen: pure, without a chain."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chains.evm.fees import Fees
from chains.evm.ports import Receipt
from stablecoin.relaying.confirming import (
    Change,
    Final,
    Lost,
    Mined,
    Overtaken,
    Replaced,
    Seen,
    changes,
    doubtful,
)
from stablecoin.relaying.offers import Market, Offer, Replace, Resend, offers
from stablecoin.relaying.rows import Bytes, Open

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE = timedelta(seconds=30)
GWEI = 10**9
CAP = 100 * GWEI
FEES = Fees(3 * GWEI, GWEI)
REQUEST = UUID(int=1)
CONFIRMATIONS = 3
HEAD = 100


def attempt(
    number: int = 1,
    *,
    answer: str = "accepted",
    fees: Fees = FEES,
    cancels: bool = False,
    sent: float | None = 1,
    created: float = 1,
) -> Bytes:
    """One that was sent and created so many seconds ago."""
    sent_at = None if sent is None else NOW - timedelta(seconds=sent)
    created_at = NOW - timedelta(seconds=created)
    return Bytes(number, number, f"0x{number}", b"", fees, cancels, sent_at, answer, created_at)


def waiting(
    *attempts: Bytes, state: str = "BROADCAST", wish: str = "", at: int | None = None
) -> Open:
    transaction = Open(1, 7, REQUEST, state, 100_000, wish, None, "", None, "", at)
    transaction.attempts = list(attempts)
    return transaction


def mined(block: int, hash: str) -> Open:
    transaction = Open(1, 7, REQUEST, "MINED", 100_000, "", block, hash, True, "0x1", None)
    transaction.attempts = [attempt()]
    return transaction


def offered(transaction: Open, *, base_fee: int = GWEI, block_at: datetime = NOW) -> Offer | None:
    market = Market(base_fee, GWEI, CAP, block_at)
    found = offers([transaction], market, now=NOW, patience=PATIENCE)
    return found[0] if found else None


def test_what_is_not_due_is_left_alone() -> None:
    assert offered(waiting(attempt(sent=9, created=29))) is None
    assert isinstance(offered(waiting(attempt(sent=11, created=29))), Resend)


def test_what_was_never_sent_is_sent_even_where_its_nonce_is_used() -> None:
    assert isinstance(offered(waiting(attempt(sent=None), state="SIGNED", at=5)), Resend)
    assert offered(waiting(attempt(sent=99, created=99), at=5)) is None


def test_patience_is_measured_on_blocks_and_never_in_the_future() -> None:
    late = waiting(attempt(created=31))
    assert isinstance(offered(late), Replace)
    assert offered(late, block_at=NOW - timedelta(seconds=2)) is None
    young = waiting(attempt(created=29))
    assert offered(young, block_at=NOW + timedelta(hours=1)) is None


@pytest.mark.parametrize("answer", ["unknown", "insufficient_funds", "nonce_too_low", "refused"])
def test_higher_fees_are_for_what_a_node_has(answer: str) -> None:
    last = attempt(answer=answer, sent=11, created=3_600)
    assert offered(waiting(last)) == Resend(waiting(last), last)


def test_what_nobody_takes_is_filled_at_the_cap_too() -> None:
    at_cap = Fees(CAP, GWEI)
    refused = attempt(answer="refused exceeds block gas limit", fees=at_cap)
    found = offered(waiting(refused, state="SIGNED"))
    assert isinstance(found, Replace)
    assert found.cancels
    assert found.fees == at_cap


def test_a_filler_that_is_refused_is_not_filled_again_and_again() -> None:
    filler = attempt(2, answer="refused", cancels=True)
    assert offered(waiting(attempt(), filler, state="SIGNED")) is None


def test_at_the_cap_the_same_bytes_go_on_and_it_is_told() -> None:
    capped = attempt(fees=Fees(CAP, GWEI), sent=11, created=3_600)
    assert offered(waiting(capped)) == Resend(waiting(capped), capped, capped=True)


def test_a_cancellation_is_offered_once() -> None:
    found = offered(waiting(attempt(), wish="cancel"))
    assert isinstance(found, Replace)
    assert found.cancels
    assert offered(waiting(attempt(), attempt(2, cancels=True), wish="cancel")) is None


def receipt(block: int = 98, *, name: str = "0xb98") -> Receipt:
    return Receipt("0x1", block, name, True, 50_000, GWEI)


def decided(
    transaction: Open,
    *,
    receipts: tuple[Receipt, ...] = (),
    canonical: dict[int, str] | None = None,
    nonce: int = 8,
    head: int = HEAD,
) -> Change | None:
    blocks = {98: "0xb98"} if canonical is None else canonical
    seen = Seen({r.transaction_hash: r for r in receipts}, blocks, nonce, head)
    found = changes([transaction], seen, confirmations=CONFIRMATIONS)
    return found[0] if found else None


def test_a_receipt_counts_where_block_and_nonce_agree() -> None:
    sent = waiting(attempt())
    assert decided(sent, receipts=(receipt(),)) == Mined(sent, receipt())


@pytest.mark.parametrize(
    ("canonical", "nonce", "head"),
    [
        ({98: "0xother"}, 8, HEAD),
        ({}, 8, HEAD),
        ({98: "0xb98"}, 7, HEAD),
        ({98: "0xb98"}, 8, 97),
    ],
    ids=["another block is there", "no block is there", "its nonce is unused", "above the head"],
)
def test_a_receipt_that_nothing_agrees_with_decides_nothing(
    canonical: dict[int, str], nonce: int, head: int
) -> None:
    sent = waiting(attempt())
    told = (receipt(),)
    assert decided(sent, receipts=told, canonical=canonical, nonce=nonce, head=head) is None
    # Nor is it given up while somebody has one.
    long_gone = waiting(attempt(), at=1)
    found = decided(long_gone, receipts=told, canonical=canonical, nonce=nonce, head=head)
    assert not isinstance(found, Replaced)


def test_what_is_overtaken_is_given_up_once_that_is_final() -> None:
    assert decided(waiting(attempt())) == Overtaken(waiting(attempt()), HEAD)
    for at, given_up in ((HEAD - CONFIRMATIONS + 1, False), (HEAD - CONFIRMATIONS, True)):
        overtaken = waiting(attempt(), at=at)
        assert decided(overtaken) == (Replaced(overtaken) if given_up else None)
        asked = doubtful([overtaken], nonce=8, head=HEAD, confirmations=CONFIRMATIONS)
        assert asked == ([overtaken] if given_up else [])
    assert decided(waiting(attempt(), at=1), nonce=7) == Overtaken(waiting(attempt(), at=1), None)


def test_what_is_mined_ends_goes_back_or_waits_for_the_node() -> None:
    assert decided(mined(97, "0xb97"), canonical={97: "0xb97"}) == Final(mined(97, "0xb97"))
    assert decided(mined(98, "0xb98")) is None
    assert decided(mined(98, "0xlost")) == Lost(mined(98, "0xlost"))
    assert decided(mined(98, "0xlost"), receipts=(receipt(),)) == Mined(
        mined(98, "0xlost"), receipt()
    )
    assert decided(mined(98, "0xb98"), canonical={}) is None
