"""The maker's desk: quotes given, co-signatures owed. In memory: a restart forgets both."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from solders.keypair import Keypair

from sandbox.services.makers.chance import PPM, draw
from sandbox.services.makers.inspection import Rejected, Terms, inspect, message_of
from sandbox.services.makers.knobs import Knobs
from sandbox.services.makers.pricing import BPS, Curve, Token

QUOTE_TTL_MS = 30_000
# A given answer is repeated for as long as a transaction over it could still land, and longer.
ANSWER_TTL_MS = 120_000
# Half a gigabyte at the very most.
MAX_QUOTES = 500_000
MAX_SIGNINGS = 250_000
# One trade may not empty the curve.
MAX_SHARE_OF_RESERVE_BPS = 3_000

_U64_MAX = 2**64 - 1
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,19}")
_ID_LIMIT = 128

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    terms: Terms
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Signing:
    """A quote bound to one message, with the answer that is given from `ready_at_ms` on."""

    message_digest: bytes
    ready_at_ms: int
    answer: Answer


class Desk:
    """Answers the items of the RFQ protocol."""

    def __init__(
        self, *, keypair: Keypair, curve: Curve, tokens: Mapping[str, Token], knobs: Knobs
    ) -> None:
        self.knobs = knobs
        self.inventory: Mapping[str, int] | None = None
        """What the maker holds on chain, in base units by mint; None until it was read."""
        self._keypair = keypair
        self._address = keypair.pubkey()
        self._address_text = str(self._address)
        self._curve = curve
        self._tokens = tokens
        self._quotes: dict[str, Quote] = {}
        self._signings: dict[str, Signing] = {}
        self._boot = secrets.token_hex(6)
        self._quoted = 0

    def quote(self, items: list[Any], *, now_ms: int) -> list[Answer]:
        """Answer a batch of quote requests at the prices of `now_ms`."""
        self._forget_old(now_ms)
        reserves = self._curve.reserves(self._tokens, now_ms=now_ms)
        return [self._quote(item, reserves, now_ms) for item in items]

    def sign(self, items: list[Any], *, now_ms: int) -> list[Answer]:
        """Answer a batch of requests for co-signatures."""
        self._forget_old(now_ms)
        return [self._sign(item, now_ms) for item in items]

    def _quote(self, item: Any, reserves: Mapping[str, int], now_ms: int) -> Answer:
        if not isinstance(item, dict) or not _is_id(item.get("requestId")):
            return _no_quote(None, "invalid", "requestId must be a text")
        request_id = item["requestId"]
        sell = self._tokens.get(str(item.get("inputMint")))
        buy = self._tokens.get(str(item.get("outputMint")))
        amount_in = _amount(item.get("amountIn"))
        if not amount_in:
            return _no_quote(request_id, "invalid", "amountIn must be a positive integer as text")
        if sell is None or buy is None or sell is buy:
            return _no_quote(request_id, "unknown_pair", "this pair is not traded here")
        if self.inventory is None or len(self._quotes) >= MAX_QUOTES:
            return _no_quote(request_id, "unavailable", "no quotes at the moment")
        reserve_out = reserves[buy.mint]
        price = self._curve.price(
            amount_in, reserve_in=reserves[sell.mint], reserve_out=reserve_out
        )
        depth = min(reserve_out * MAX_SHARE_OF_RESERVE_BPS // BPS, self.inventory[buy.mint])
        if not 0 < price.amount_out <= depth:
            return _no_quote(request_id, "insufficient_liquidity", "the amount is too large")
        self._quoted += 1
        quote_id = f"{self._boot}-{self._quoted:x}"
        expires_at_ms = now_ms + QUOTE_TTL_MS
        terms = Terms(sell, amount_in, buy, price.amount_out)
        self._quotes[quote_id] = Quote(terms, expires_at_ms)
        return {
            "requestId": request_id,
            "quoteId": quote_id,
            "maker": self._address_text,
            "amountOut": str(price.amount_out),
            "feeAmount": str(price.fee_amount),
            "feeBps": self._curve.fee_bps,
            "priceImpactBps": price.impact_bps,
            "expiresAt": expires_at_ms,
        }

    def _sign(self, item: Any, now_ms: int) -> Answer:
        if not isinstance(item, dict) or not _is_id(item.get("quoteId")):
            return _refused(None, "invalid", "quoteId must be a text")
        quote_id = item["quoteId"]
        min_amount_out = _amount(item.get("minAmountOut"))
        if min_amount_out is None or not isinstance(item.get("transaction"), str):
            return _refused(quote_id, "invalid", "minAmountOut and transaction must be texts")
        try:
            message = message_of(item["transaction"])
            signing = self._signings.get(quote_id)
            if signing is None:
                quote = self._quotes.get(quote_id)
                if quote is None or quote.expires_at_ms <= now_ms:
                    return _refused(quote_id, "expired", "the quote is unknown or has expired")
                inspect(message, quote.terms, self._address)
                signing = self._bind(quote_id, quote, message, min_amount_out, now_ms)
        except Rejected as rejection:
            return _refused(quote_id, "invalid", str(rejection))
        if signing.message_digest != _digest(message):
            return _refused(quote_id, "quote_used", "the quote was used for another message")
        if now_ms < signing.ready_at_ms:
            wait_ms = signing.ready_at_ms - now_ms
            return {"quoteId": quote_id, "status": "pending", "retryAfterMs": wait_ms}
        return signing.answer

    def _bind(
        self, quote_id: str, quote: Quote, message: bytes, min_amount_out: int, now_ms: int
    ) -> Signing:
        signing = Signing(
            message_digest=_digest(message),
            ready_at_ms=now_ms + self.knobs.execution_delay_ms,
            answer=self._answer(quote_id, quote.terms, message, min_amount_out),
        )
        if len(self._signings) >= MAX_SIGNINGS:
            del self._signings[next(iter(self._signings))]
        self._signings[quote_id] = signing
        del self._quotes[quote_id]
        return signing

    def _answer(self, quote_id: str, terms: Terms, message: bytes, min_amount_out: int) -> Answer:
        seed, knobs = self._curve.seed, self.knobs
        if draw(seed, f"failure/{quote_id}", PPM) < knobs.failure_rate * PPM:
            return _refused(quote_id, "unavailable", "the venue failed to execute")
        fall_bps = draw(seed, f"slippage/{quote_id}", knobs.slippage_bps + 1)
        last_amount_out = terms.buy_amount * (BPS - fall_bps) // BPS
        if last_amount_out < min_amount_out:
            reason = f"the price fell by {fall_bps} bps: {last_amount_out} < {min_amount_out}"
            return _refused(quote_id, "slippage", reason)
        signature = str(self._keypair.sign_message(message))
        return {"quoteId": quote_id, "status": "signed", "signature": signature}

    def _forget_old(self, now_ms: int) -> None:
        """Both tables are in the order of time, so the old ones come first. (A changed execution
        delay disturbs that; what it hides is forgotten later.)"""
        while self._quotes:
            oldest = next(iter(self._quotes))
            if self._quotes[oldest].expires_at_ms > now_ms:
                break
            del self._quotes[oldest]
        while self._signings:
            oldest = next(iter(self._signings))
            if self._signings[oldest].ready_at_ms + ANSWER_TTL_MS > now_ms:
                break
            del self._signings[oldest]


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _ID_LIMIT


def _amount(value: Any) -> int | None:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        return None
    amount = int(value)
    return amount if amount <= _U64_MAX else None


def _digest(message: bytes) -> bytes:
    return blake2b(message, digest_size=16).digest()


def _no_quote(request_id: str | None, code: str, message: str) -> Answer:
    return {"requestId": request_id, "error": {"code": code, "message": message}}


def _refused(quote_id: str | None, code: str, message: str) -> Answer:
    return {"quoteId": quote_id, "status": "refused", "code": code, "message": message}
