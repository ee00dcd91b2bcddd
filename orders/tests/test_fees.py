"""The rate at which fees are valued."""

import asyncio
from collections.abc import Sequence
from typing import cast

from chains.ports import FirmQuote, QuoteRefusal, QuoteRequest, QuoteVenue
from orders.execution.fees import SolRates


class Meeting:
    """A venue that answers when the others are asked as well."""

    name = "meeting"

    def __init__(self, everybody: asyncio.Barrier) -> None:
        self._everybody = everybody

    async def quotes(self, requests: Sequence[QuoteRequest]) -> list[FirmQuote | QuoteRefusal]:
        await self._everybody.wait()
        return [QuoteRefusal(r.request_id, "unavailable", "") for r in requests]


async def test_all_venues_are_asked_at_once() -> None:
    everybody = asyncio.Barrier(2)
    venues = [cast(QuoteVenue, Meeting(everybody)) for _ in range(2)]
    await asyncio.wait_for(SolRates().refresh(venues, {"mint"}), 10)
