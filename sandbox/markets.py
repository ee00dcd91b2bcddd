"""The markets of the sandbox, as Fairlane is told of them."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sandbox.tokens import TOKENS, Token

_BY_SYMBOL = {token.symbol: token for token in TOKENS}
FEE_BPS = 10
CADENCE_MS = 1_000
POOL_FEE_BPS = 10
# Under this name the pools are funded once.
FIRST_DEPOSIT = "sandbox"
# Below this an order is dust, in quote tokens.
MINIMUM_NOTIONAL = "1"


@dataclass(frozen=True, slots=True)
class Market:
    """Two tokens that are traded in batches.

    Attributes:
        lot: base tokens of the smallest quantity, worth some tenths of a dollar.
        tick: the smallest step of price, in quote tokens per base token: the 4096 of a band reach
            a good tenth of the price to both sides.
        pool: base tokens of the pool that takes what batches leave, and as much in quote tokens;
            none where it is 0.
    """

    base: Token
    quote: Token
    lot: str
    tick: str
    pool: int = 0

    @property
    def name(self) -> str:
        return f"{self.base.symbol}-{self.quote.symbol}"

    @property
    def reference(self) -> str:
        """The price from which the makers start as well, in quote tokens per base token."""
        return f"{self.base.usd / self.quote.usd:f}"

    @property
    def command(self) -> tuple[str, ...]:
        """The arguments of `manage.py` that create it."""
        return (
            "create_market",
            self.base.symbol,
            self.quote.symbol,
            f"--lot={self.lot}",
            f"--tick={self.tick}",
            f"--reference={self.reference}",
            f"--fee-bps={FEE_BPS}",
            f"--cadence-ms={CADENCE_MS}",
            f"--minimum-notional={MINIMUM_NOTIONAL}",
            *((f"--pool-fee-bps={POOL_FEE_BPS}",) if self.pool else ()),
        )

    def funding(self, treasury: Path) -> tuple[str, ...]:
        """The arguments of `manage.py` that fund its pool out of the wallet of a key file."""
        return (
            "fund_pool",
            self.name,
            f"--base={self.pool}",
            f"--quote={self.pool * Decimal(self.reference):f}",
            f"--from={treasury}",
            f"--reference={FIRST_DEPOSIT}",
        )


def _market(base: str, *, lot: str, tick: str, pool: int = 0) -> Market:
    return Market(_BY_SYMBOL[base], _BY_SYMBOL["USDC"], lot, tick, pool)


MARKETS = (
    _market("SOL", lot="0.001", tick="0.01", pool=1_000),
    _market("JUP", lot="1", tick="0.000025"),
    _market("BONK", lot="10000", tick="0.000000001"),
)
POOLED = tuple(market for market in MARKETS if market.pool)
MARKET_TOKENS = tuple(
    token for token in TOKENS if any(token in (market.base, market.quote) for market in MARKETS)
)
"""Every token that is traded in some market."""
