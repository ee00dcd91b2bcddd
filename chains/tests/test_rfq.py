"""The RFQ client against makers that lie, stammer or keep silent."""

import asyncio
import time
from base64 import b64decode
from typing import Any

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from chains.errors import Transient
from chains.http import Http
from chains.ports import (
    Cosigned,
    CosignPending,
    CosignRefused,
    CosignRequest,
    FirmQuote,
    QuoteRefusal,
    QuoteRequest,
)
from chains.solana import swap
from chains.solana.dex import rfq
from chains.solana.dex.rfq import RfqVenue
from chains.tests.conftest import Handler, Serve

MAKER = Keypair()
ADDRESS = str(MAKER.pubkey())
QUOTE = QuoteRequest("r1", "mint in", "mint out", 1000)
MESSAGE = b"\x02\x00\x00a message"
COSIGN = CosignRequest("q1", ADDRESS, MESSAGE, 95)

EXPIRY = time.time_ns() // 1_000_000 + 3_600_000
GOOD_QUOTE: dict[str, Any] = {
    "requestId": "r1",
    "quoteId": "q1",
    "maker": ADDRESS,
    "amountOut": "100",
    "feeAmount": "1",
    "feeBps": 30,
    "priceImpactBps": 2,
    "expiresAt": EXPIRY,
}
GOOD_SIGNATURE: dict[str, Any] = {
    "quoteId": "q1",
    "status": "signed",
    "signature": str(MAKER.sign_message(MESSAGE)),
}


def answering(answer: Any, *, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        return web.Response(body=body, status=status)

    return handler


async def test_requests_travel_as_the_protocol_says(serve: Serve, http: Http) -> None:
    asked = {}

    async def handler(request: web.Request) -> web.Response:
        asked[request.path] = (await request.json())[0]
        answer = GOOD_QUOTE if request.path == "/quote" else GOOD_SIGNATURE
        return web.json_response([answer])

    venue = RfqVenue("raydium", await serve(handler) + "/", http)
    assert venue.name == "raydium"
    assert await venue.quotes([QUOTE]) == [
        FirmQuote("r1", "q1", ADDRESS, 100, 1, 30, 2, GOOD_QUOTE["expiresAt"])
    ]
    assert await venue.cosign([COSIGN]) == [Cosigned("q1", bytes(MAKER.sign_message(MESSAGE)))]
    assert asked["/quote"] == {
        "requestId": "r1",
        "inputMint": "mint in",
        "outputMint": "mint out",
        "amountIn": "1000",
    }
    assert b64decode(asked["/sign"].pop("transaction")) == swap.unsigned(MESSAGE)
    assert asked["/sign"] == {"quoteId": "q1", "minAmountOut": "95"}


async def test_large_sets_are_asked_in_batches_and_answered_in_order(
    serve: Serve, http: Http
) -> None:
    sizes = []

    async def handler(request: web.Request) -> web.Response:
        items = await request.json()
        sizes.append(len(items))
        return web.json_response([GOOD_QUOTE | {"requestId": i["requestId"]} for i in items])

    venue = RfqVenue("raydium", await serve(handler), http)
    requests = [QuoteRequest(str(n), "a", "b", 1) for n in range(1100)]
    quotes = await venue.quotes(requests)
    assert [quote.request_id for quote in quotes] == [str(n) for n in range(1100)]
    assert sorted(sizes) == [100, 500, 500]


@pytest.mark.parametrize(
    "code", ["unknown_pair", "insufficient_liquidity", "unavailable", "invalid"]
)
async def test_a_refused_quote_keeps_its_code(serve: Serve, http: Http, code: str) -> None:
    refusal = {"requestId": "r1", "error": {"code": code, "message": "no\n" + "x" * 999}}
    venue = RfqVenue("raydium", await serve(answering([refusal])), http)
    (answer,) = await venue.quotes([QUOTE])
    assert isinstance(answer, QuoteRefusal)
    assert (answer.code, answer.message) == (code, "no " + "x" * 197)


@pytest.mark.parametrize("code", ["slippage", "expired", "unavailable", "quote_used", "invalid"])
async def test_a_refused_signature_keeps_its_code(serve: Serve, http: Http, code: str) -> None:
    refusal = {"quoteId": "q1", "status": "refused", "code": code, "message": "no"}
    venue = RfqVenue("raydium", await serve(answering([refusal])), http)
    assert await venue.cosign([COSIGN]) == [CosignRefused("q1", code, "no")]  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "kept"), [(800, 800), (0, 10), (10**12, 30_000)])
async def test_a_pending_signature_is_polled_within_reason(
    serve: Serve, http: Http, asked: int, kept: int
) -> None:
    pending = {"quoteId": "q1", "status": "pending", "retryAfterMs": asked}
    venue = RfqVenue("raydium", await serve(answering([pending])), http)
    assert await venue.cosign([COSIGN]) == [CosignPending("q1", kept)]


BAD_FIELDS: dict[str, list[Any]] = {
    "amountOut": ["-1", "0", "1.5", "1e3", "", " 1", "01", "٣", str(2**64), "9" * 5000, 100, None],
    "feeAmount": ["-1", 1, None, str(2**64)],
    "feeBps": [-1, 10_001, "30", 3.0, True, None],
    "priceImpactBps": [-1, 10_001, [], {}],
    # The last two are over already, and in microseconds.
    "expiresAt": [0, -1, "1", 1e300, None, 1_700_000_000_000, 2_000_000_000_000_000],
    "quoteId": ["", "a b", "q" * 65, "q\n", 1, None, ["q"]],
    "maker": ["", "x", ADDRESS + "1", 1, None, "0" * 44, "é" * 32],
    "requestId": ["r2", None],
}
BAD_ERRORS: list[Any] = [None, "unavailable", [], {}]
BAD_WAITS: list[Any] = [-1, "9", None, 1.5]

BAD_QUOTES: list[Any] = [
    None,
    17,
    "text",
    [],
    {},
    *({k: v for k, v in GOOD_QUOTE.items() if k != missing} for missing in GOOD_QUOTE),
    *(GOOD_QUOTE | {field: bad} for field, values in BAD_FIELDS.items() for bad in values),
    *({"requestId": "r1", "error": bad} for bad in BAD_ERRORS),
    {"requestId": "r1", "error": {"code": "unheard_of", "message": ""}},
    {"requestId": "r1", "error": {"code": ["invalid"], "message": ""}},
    {"requestId": "r1", "error": {"code": "invalid"}},
]


@pytest.mark.parametrize("answer", BAD_QUOTES)
async def test_a_malformed_quote_is_refused_and_harms_no_other(
    serve: Serve, http: Http, answer: Any
) -> None:
    good = GOOD_QUOTE | {"requestId": "r9"}
    venue = RfqVenue("raydium", await serve(answering([answer, good])), http)
    refused, quoted = await venue.quotes([QUOTE, QuoteRequest("r9", "a", "b", 1)])
    assert isinstance(refused, QuoteRefusal)
    assert (refused.request_id, refused.code) == ("r1", "invalid")
    assert isinstance(quoted, FirmQuote)


BAD_SIGNATURES: list[Any] = [
    None,
    [],
    {},
    GOOD_SIGNATURE | {"quoteId": "q2"},
    GOOD_SIGNATURE | {"status": "maybe"},
    GOOD_SIGNATURE | {"status": []},
    GOOD_SIGNATURE | {"signature": str(MAKER.sign_message(b"another message"))},
    GOOD_SIGNATURE | {"signature": str(Keypair().sign_message(MESSAGE))},
    GOOD_SIGNATURE | {"signature": "1" * 64},
    *(GOOD_SIGNATURE | {"signature": bad} for bad in ("", "0OIl", 7, None, ADDRESS)),
    {"quoteId": "q1", "status": "signed"},
    {"quoteId": "q1", "status": "pending"},
    *({"quoteId": "q1", "status": "pending", "retryAfterMs": bad} for bad in BAD_WAITS),
    {"quoteId": "q1", "status": "refused"},
    {"quoteId": "q1", "status": "refused", "code": "mood", "message": ""},
]


@pytest.mark.parametrize("answer", BAD_SIGNATURES)
async def test_a_malformed_signature_is_refused_and_harms_no_other(
    serve: Serve, http: Http, answer: Any
) -> None:
    good = GOOD_SIGNATURE | {"quoteId": "q9"}
    venue = RfqVenue("raydium", await serve(answering([answer, good])), http)
    requests = [COSIGN, CosignRequest("q9", ADDRESS, MESSAGE, 95)]
    refused, signed = await venue.cosign(requests)
    assert isinstance(refused, CosignRefused)
    assert (refused.quote_id, refused.code) == ("q1", "invalid")
    assert isinstance(signed, Cosigned)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[", b"[" * 100_000, b"null", b"{}", b"[]", b"[1,2]", b"\xff"]
)
async def test_an_answer_that_is_no_batch_refuses_every_item(
    serve: Serve, http: Http, body: bytes
) -> None:
    venue = RfqVenue("raydium", await serve(answering(body)), http)
    (quote,) = await venue.quotes([QUOTE])
    (signing,) = await venue.cosign([COSIGN])
    assert isinstance(quote, QuoteRefusal) and quote.code == "invalid"
    assert isinstance(signing, CosignRefused) and signing.code == "invalid"


async def test_a_rejected_batch_refuses_every_item(serve: Serve, http: Http) -> None:
    venue = RfqVenue("raydium", await serve(answering(b"", status=400)), http)
    assert await venue.quotes([QUOTE]) == [
        QuoteRefusal("r1", "invalid", "maker raydium answered HTTP 400")
    ]


@pytest.mark.parametrize("status", [301, 404, 429, 500, 503])
async def test_a_venue_in_trouble_may_be_asked_again(serve: Serve, http: Http, status: int) -> None:
    venue = RfqVenue("raydium", await serve(answering(b"", status=status)), http)
    with pytest.raises(Transient, match=rf"^maker raydium answered HTTP {status}$"):
        await venue.quotes([QUOTE])
    with pytest.raises(Transient):
        await venue.cosign([COSIGN])


async def test_a_silent_venue_may_be_asked_again(serve: Serve) -> None:
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    venue = RfqVenue("raydium", await serve(hang), Http(timeout_s=0.05))
    with pytest.raises(Transient, match=r"^maker raydium did not answer in time$"):
        await venue.quotes([QUOTE])
    released.set()
    await venue.aclose()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(sorted({*GOOD_QUOTE, *GOOD_SIGNATURE, "error", "retryAfterMs", "code"}))


@given(noise=st.dictionaries(fields, json_values, min_size=1, max_size=3))
def test_no_answer_crashes_the_client(noise: dict[str, Any]) -> None:
    quote = rfq._checked(QUOTE, GOOD_QUOTE | noise, rfq._quoted, rfq._no_quote)
    assert isinstance(quote, (FirmQuote, QuoteRefusal))
    signing = rfq._checked(COSIGN, GOOD_SIGNATURE | noise, rfq._signing, rfq._no_signature)
    assert isinstance(signing, (Cosigned, CosignPending, CosignRefused))


def test_no_text_of_a_venue_shows_its_url() -> None:
    venue = RfqVenue("raydium", "https://user:secret@maker", Http(timeout_s=1))
    assert repr(venue) == "<RfqVenue: raydium>"
