"""Client of a market maker: firm quotes and co-signatures, in batches.

A maker is a counterparty. Nothing it says is believed before it was checked: a malformed answer
becomes a refusal `invalid`, and a co-signature is verified over the message that was asked.
"""

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

import orjson
from solders.pubkey import Pubkey
from solders.signature import Signature

from chains.errors import Definitive, outside_text
from chains.http import Http
from chains.ports import (
    Cosigned,
    CosignPending,
    CosignRefusalCode,
    CosignRefused,
    CosignRequest,
    FirmQuote,
    QuoteRefusal,
    QuoteRefusalCode,
    QuoteRequest,
)
from chains.solana import swap

BATCH_ITEMS = 500  # the protocol's limit

_U64_MAX = 2**64 - 1
_BPS = 10_000
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,19}")
_QUOTE_ID = re.compile(r"[!-~]{1,64}")
_QUOTE_REFUSALS = frozenset(get_args(QuoteRefusalCode))
_COSIGN_REFUSALS = frozenset(get_args(CosignRefusalCode))

# No price is firm for longer: an expiry beyond it is in another unit.
_LONGEST_MS = 24 * 3600 * 1000
# A maker may not ask to be polled harder than this, or to be left alone for longer than a
# blockhash lives.
_RETRY_AFTER_MS = (10, 30_000)

Quoted = FirmQuote | QuoteRefusal
Signing = Cosigned | CosignPending | CosignRefused

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class RfqVenue:
    """A `chains.ports.QuoteVenue` over HTTP."""

    def __init__(self, name: str, url: str, http: Http) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._http = http

    def __repr__(self) -> str:
        return f"<RfqVenue: {self._name}>"

    @property
    def name(self) -> str:
        return self._name

    async def quotes(self, requests: Sequence[QuoteRequest]) -> list[Quoted]:
        return await self._exchange("/quote", requests, _quote_item, _quoted, _no_quote)

    async def cosign(self, requests: Sequence[CosignRequest]) -> list[Signing]:
        return await self._exchange("/sign", requests, _cosign_item, _signing, _no_signature)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _exchange(
        self,
        path: str,
        requests: Sequence[Request],
        encode: Callable[[Request], dict[str, str]],
        decode: Callable[[Request, Any], Answer],
        refuse: Callable[[Request, str], Answer],
    ) -> list[Answer]:
        """Ask for all requests, chunks at once; answers come in the order asked."""

        async def ask(chunk: Sequence[Request]) -> list[Answer]:
            body = orjson.dumps([encode(request) for request in chunk])
            try:
                answers = _items(await self._post(path, body), count=len(chunk))
            except (Definitive, ValueError) as error:
                return [refuse(request, str(error)) for request in chunk]
            return [_checked(r, a, decode, refuse) for r, a in zip(chunk, answers, strict=True)]

        chunks = [requests[i : i + BATCH_ITEMS] for i in range(0, len(requests), BATCH_ITEMS)]
        answered = await asyncio.gather(*(ask(chunk) for chunk in chunks))
        return [answer for chunk in answered for answer in chunk]

    async def _post(self, path: str, body: bytes) -> bytes:
        return await self._http.post(self._url + path, body, peer=f"maker {self._name}")


def _items(body: bytes, *, count: int) -> list[Any]:
    try:
        answers = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ValueError("the answer is no JSON") from None
    if not isinstance(answers, list) or len(answers) != count:
        raise ValueError("the answer does not match the request")
    return answers


def _checked(
    request: Request,
    answer: Any,
    decode: Callable[[Request, Any], Answer],
    refuse: Callable[[Request, str], Answer],
) -> Answer:
    try:
        return decode(request, answer)
    except KeyError as error:
        return refuse(request, f"the answer lacks {error}")
    except (TypeError, ValueError) as error:
        return refuse(request, str(error))


def _quote_item(request: QuoteRequest) -> dict[str, str]:
    return {
        "requestId": request.request_id,
        "inputMint": request.input_mint,
        "outputMint": request.output_mint,
        "amountIn": str(request.amount_in),
    }


def _quoted(request: QuoteRequest, answer: Any) -> Quoted:
    now_ms = time.time_ns() // 1_000_000
    if answer["requestId"] != request.request_id:
        raise ValueError("the answer is for another request")
    if "error" in answer:
        error = answer["error"]
        code = _one_of(_QUOTE_REFUSALS, error["code"])
        return QuoteRefusal(request.request_id, code, outside_text(error["message"]))
    return FirmQuote(
        request_id=request.request_id,
        quote_id=_matching(_QUOTE_ID, answer["quoteId"], "quoteId"),
        maker=str(Pubkey.from_string(answer["maker"])),
        amount_out=_amount(answer["amountOut"], "amountOut", minimum=1),
        fee_amount=_amount(answer["feeAmount"], "feeAmount", minimum=0),
        fee_bps=_between(0, _BPS, answer["feeBps"], "feeBps"),
        price_impact_bps=_between(0, _BPS, answer["priceImpactBps"], "priceImpactBps"),
        expires_at_ms=_between(now_ms, now_ms + _LONGEST_MS, answer["expiresAt"], "expiresAt"),
    )


def _no_quote(request: QuoteRequest, reason: str) -> Quoted:
    return QuoteRefusal(request.request_id, "invalid", outside_text(reason))


def _cosign_item(request: CosignRequest) -> dict[str, str]:
    return {
        "quoteId": request.quote_id,
        "transaction": b64encode(swap.unsigned(request.message)).decode(),
        "minAmountOut": str(request.min_amount_out),
    }


def _signing(request: CosignRequest, answer: Any) -> Signing:
    if answer["quoteId"] != request.quote_id:
        raise ValueError("the answer is for another quote")
    match answer["status"]:
        case "signed":
            signature = bytes(Signature.from_string(answer["signature"]))
            if not swap.verify(signature, signer=request.maker, message=request.message):
                raise ValueError("the signature is not the maker's over this message")
            return Cosigned(request.quote_id, signature)
        case "pending":
            retry_after_ms = _between(0, _U64_MAX, answer["retryAfterMs"], "retryAfterMs")
            least, most = _RETRY_AFTER_MS
            return CosignPending(request.quote_id, min(max(retry_after_ms, least), most))
        case "refused":
            code = _one_of(_COSIGN_REFUSALS, answer["code"])
            return CosignRefused(request.quote_id, code, outside_text(answer["message"]))
    raise ValueError("the status is unknown")


def _no_signature(request: CosignRequest, reason: str) -> Signing:
    return CosignRefused(request.quote_id, "invalid", outside_text(reason))


def _one_of(codes: frozenset[Any], value: Any) -> Any:
    if value not in codes:
        raise ValueError("the refusal's code is unknown")
    return value


def _matching(pattern: re.Pattern[str], value: Any, field: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{field} is malformed")
    return value


def _amount(value: Any, field: str, *, minimum: int) -> int:
    amount = int(_matching(_AMOUNT, value, field))
    if not minimum <= amount <= _U64_MAX:
        raise ValueError(f"{field} is out of range")
    return amount


def _between(minimum: int, maximum: int, value: Any, field: str) -> int:
    if type(value) is not int or not minimum <= value <= maximum:
        raise ValueError(f"{field} is malformed or out of range")
    return value
