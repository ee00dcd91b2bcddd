"""What becomes of slots that were won, and what it costs."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from chains.errors import Definitive
from chains.tests.raiku_support import SLOT, Venue, bid, running, transaction
from sandbox.services.raiku.landing import PATIENCE_SLOTS


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with running() as venue:
        yield venue


async def test_what_is_submitted_in_the_slot_is_too_late(venue: Venue) -> None:
    reservation = await venue.won(bid())
    await venue.reach(SLOT)
    with pytest.raises(Definitive, match="it is EXPIRED_UNUSED"):
        await venue.client.submit(reservation.id, [transaction()])
    assert venue.chain.sent == []


async def test_unused_space_is_charged(venue: Venue) -> None:
    await venue.won(bid())
    await venue.reach(SLOT)
    answer = await venue.state(bid())
    assert answer.state == "EXPIRED_UNUSED"
    assert answer.charged > 0
    assert await venue.kinds() == ["won", "unused"]


async def test_a_reverted_transaction_is_charged(venue: Venue) -> None:
    venue.chain.err = {"InstructionError": [0, "Custom"]}
    await venue.delivered(bid())
    await venue.finalize()
    answer = await venue.state(bid())
    assert answer.state == "REVERTED"
    assert "InstructionError" in answer.reason
    assert answer.charged > 0
    assert (await venue.kinds())[-1] == "reverted"


async def failed(venue: Venue) -> str:
    answer = await venue.state(bid())
    assert (answer.state, answer.charged) == ("FAILED", 0)
    (receipt,) = (r for r in await venue.client.receipts(0, 100) if r.kind == "failed")
    assert (receipt.reason, receipt.charged_lamports) == (answer.reason, 0)
    return answer.reason


async def test_a_slot_that_the_cluster_skips_is_paid_back(venue: Venue) -> None:
    reservation = await venue.won(bid())
    await venue.client.submit(reservation.id, [transaction()])
    await venue.reach(SLOT - 1)
    await venue.jump(SLOT + 1)
    assert await failed(venue) == "slot skipped"
    assert venue.chain.sent == []


async def test_what_does_not_land_is_paid_back(venue: Venue) -> None:
    venue.chain.refuses = "a signature of the transaction is invalid"
    await venue.delivered(bid())
    await venue.reach(SLOT + PATIENCE_SLOTS - 1)
    assert (await venue.state(bid())).state == "PRECONFIRMED"
    await venue.reach(SLOT + PATIENCE_SLOTS)
    assert await failed(venue) == "not landed: a signature of the transaction is invalid"


async def test_what_a_fork_drops_is_paid_back(venue: Venue) -> None:
    await venue.delivered(bid())
    venue.chain.landed.clear()
    await venue.reach(SLOT + 1)
    assert await failed(venue) == "forked"


async def test_what_lands_in_another_slot_is_paid_back(venue: Venue) -> None:
    await venue.delivered(bid())
    (sent,) = venue.chain.sent
    venue.chain.landed[sent] = replace(venue.chain.landed[sent], slot=SLOT + 1)
    await venue.finalize()
    assert await failed(venue) == f"landed in slot {SLOT + 1} instead"


async def test_a_node_that_cannot_be_asked_fails_nothing(venue: Venue) -> None:
    await venue.delivered(bid())
    venue.chain.unreachable = True
    await venue.reach(SLOT + 2 * PATIENCE_SLOTS)
    assert (await venue.state(bid())).state == "PRECONFIRMED"
    venue.chain.unreachable = False
    await venue.finalize()
    assert (await venue.state(bid())).state == "INCLUDED"
