"""What a maker pays, as a pure function of seed and time.

A maker quotes along a constant-product curve whose two reserves are worth the same number of
dollars: the depth. So a trade's price impact is its share of the reserve it enters, and the mid
price is the ratio of the two tokens' dollar prices, which move: by a walk all makers see, and by
one of the maker's own, which sets makers a few per cent apart.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sandbox.services.makers.chance import PPM, walk_ppm

BPS = 10_000

# ±1 % a minute for the market, ±1.5 % every twenty seconds for the maker's own view.
MARKET_AMPLITUDE_PPM, MARKET_PERIOD_MS = 10_000, 60_000
MAKER_AMPLITUDE_PPM, MAKER_PERIOD_MS = 15_000, 20_000

# Dollar prices are integers in units of 10⁻¹²: the cheapest token keeps seven digits.
_PRICE_SCALE = 10**12


@dataclass(frozen=True, slots=True)
class Token:
    """A token the maker trades; `usd` is its reference price in 10⁻¹² dollars a whole token."""

    symbol: str
    mint: str
    decimals: int
    token2022: bool
    usd: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a trade pays: `amount_out` is net of `fee_amount`, both in output base units."""

    amount_out: int
    fee_amount: int
    impact_bps: int


def load_tokens(path: Path) -> dict[str, Token]:
    """The tokens of a markets file, `{"tokens": [{symbol, mint, decimals, token2022, usd}]}`,
    by mint. Every pair of them is a market."""
    return {
        entry["mint"]: Token(
            symbol=entry["symbol"],
            mint=entry["mint"],
            decimals=entry["decimals"],
            token2022=entry["token2022"],
            usd=int(Decimal(entry["usd"]) * _PRICE_SCALE),
        )
        for entry in json.loads(path.read_text())["tokens"]
    }


@dataclass(frozen=True, slots=True)
class Curve:
    """A maker's prices: who it is, what it charges, how deep it trades."""

    maker: str
    seed: int
    fee_bps: int
    depth_usd: int

    def reserves(self, tokens: Mapping[str, Token], *, now_ms: int) -> dict[str, int]:
        """The curve's reserve of each token, in base units, by mint; rounded down."""
        return {mint: self._reserve(token, now_ms=now_ms) for mint, token in tokens.items()}

    def price(self, amount_in: int, *, reserve_in: int, reserve_out: int) -> Price:
        """The price of a trade. Rounded once, in the maker's favour, by less than one unit."""
        grown = reserve_in + amount_in
        gross = reserve_out * amount_in // grown
        net = reserve_out * amount_in * (BPS - self.fee_bps) // (grown * BPS)
        impact_bps = -(-amount_in * BPS // grown)
        return Price(amount_out=net, fee_amount=gross - net, impact_bps=impact_bps)

    def _reserve(self, token: Token, *, now_ms: int) -> int:
        market_ppm = walk_ppm(
            self.seed,
            token.mint,
            now_ms=now_ms,
            amplitude_ppm=MARKET_AMPLITUDE_PPM,
            period_ms=MARKET_PERIOD_MS,
        )
        maker_ppm = walk_ppm(
            self.seed,
            f"{self.maker}/{token.mint}",
            now_ms=now_ms,
            amplitude_ppm=MAKER_AMPLITUDE_PPM,
            period_ms=MAKER_PERIOD_MS,
        )
        usd_ppm = token.usd * (PPM + market_ppm + maker_ppm)
        units = self.depth_usd * _PRICE_SCALE * int(10**token.decimals)
        return units * PPM // usd_ppm
