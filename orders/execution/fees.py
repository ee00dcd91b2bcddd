"""What the network's fees are worth in the token that is bought."""

import asyncio
import time
from collections.abc import Collection, Sequence

from chains.errors import ChainError
from chains.ports import FirmQuote, QuoteRefusal, QuoteRequest, QuoteVenue
from orders.routing import LAMPORTS_PER_SOL

WRAPPED_SOL = "So11111111111111111111111111111111111111112"
# A swap carries the taker's and the maker's signature, at 5,000 lamports each.
NETWORK_FEE_LAMPORTS = 2 * 5_000
# Fees are a few cents: a rate that is half a minute old values them well enough.
TTL_SECONDS = 30.0
# What the rate is asked for: small, so that depth plays no part.
SAMPLE_LAMPORTS = LAMPORTS_PER_SOL // 100


class SolRates:
    """Output base units per SOL, by mint, from the venues' own quotes."""

    def __init__(self) -> None:
        self._rates: dict[str, tuple[float, int | None]] = {}

    def get(self, mint: str) -> int | None:
        """The rate as last heard; None where no venue gave one."""
        if mint == WRAPPED_SOL:
            return LAMPORTS_PER_SOL
        return self._rates.get(mint, (0.0, None))[1]

    async def refresh(self, venues: Sequence[QuoteVenue], mints: Collection[str]) -> None:
        """Ask for the rates that are missing or old. Never raises: a rate is a nicety."""
        now = time.monotonic()
        old = [
            mint
            for mint in sorted(mints)
            if mint != WRAPPED_SOL and self._rates.get(mint, (0.0, None))[0] <= now
        ]
        requests = [QuoteRequest(mint, WRAPPED_SOL, mint, SAMPLE_LAMPORTS) for mint in old]
        for mint in old:
            self._rates[mint] = (now + TTL_SECONDS, self.get(mint))
        if not requests:
            return
        for answers in await asyncio.gather(*(_answers(venue, requests) for venue in venues)):
            for answer in answers:
                if isinstance(answer, FirmQuote):
                    rate = answer.amount_out * LAMPORTS_PER_SOL // SAMPLE_LAMPORTS
                    self._rates[answer.request_id] = (now + TTL_SECONDS, rate)


async def _answers(
    venue: QuoteVenue, requests: Sequence[QuoteRequest]
) -> list[FirmQuote | QuoteRefusal]:
    try:
        return await venue.quotes(requests)
    except ChainError:
        return []
