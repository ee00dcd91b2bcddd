"""The client of block space against venues that lie, stammer or keep silent."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from chains import raiku
from chains.blockspace import Bid, Receipt, Reservation, SlotOffer
from chains.errors import Ambiguous, ChainError, Definitive, Transient
from chains.http import Http
from chains.raiku import RaikuClient
from chains.tests.conftest import Handler, Serve

LEADER = str(Keypair().pubkey())
BID = Bid("b1", 50, 1000, 7)
OFFER: dict[str, Any] = {
    "slot": 50,
    "leader": LEADER,
    "opensAtSlot": 1,
    "closesAtSlot": 38,
    "minMicroLamportsPerCu": 5,
    "cuFree": 9,
}
RESERVATION: dict[str, Any] = {
    "id": "r1",
    "clientId": "b1",
    "state": "BIDDING",
    "slot": 50,
    "reason": "",
    "chargedLamports": 0,
}
RECEIPT: dict[str, Any] = {
    "seq": 8,
    "reservationId": "r1",
    "clientId": "b1",
    "kind": "won",
    "slot": 50,
    "reason": "",
    "chargedLamports": 0,
}
ODD: list[Any] = [b"no json", b"", None, 7, "text", [7], [None], [[]], {}, [{}], {"error": 1}]


def answering(answer: Any) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=answer if isinstance(answer, bytes) else orjson.dumps(answer))

    return handler


async def test_requests_travel_as_the_wire_says(serve: Serve, http: Http) -> None:
    asked: list[Any] = []
    answers = {
        "/slots": [OFFER],
        "/bids": [RESERVATION],
        "/cancel": {},
        "/submit": {},
        "/jit": RESERVATION,
        "/receipts": [RECEIPT],
    }

    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer secret"
        body = await request.read()
        asked.append((request.method, request.path_qs, orjson.loads(body) if body else None))
        return web.json_response(answers[request.path])

    client = RaikuClient(await serve(handler) + "/", http, token="secret")
    reservation = Reservation("r1", "b1", "BIDDING", 50, "", 0)
    assert await client.slots(1, 60) == [SlotOffer(50, LEADER, 1, 38, 5, 9)]
    assert await client.bid_aot([BID]) == [reservation]
    await client.cancel("r1")
    await client.submit("r1", [b"raw"])
    assert await client.bid_jit("b1", [b"raw"], 1000, 7) == reservation
    assert await client.receipts(7, 2000) == [Receipt(8, "r1", "b1", "won", 50, "", 0)]
    raw = {"transactions": ["cmF3"]}
    assert asked == [
        ("GET", "/slots?first=1&last=60", None),
        (
            "POST",
            "/bids",
            [{"clientId": "b1", "slot": 50, "cu": 1000, "maxMicroLamportsPerCu": 7}],
        ),
        ("POST", "/cancel", {"reservationId": "r1"}),
        ("POST", "/submit", {"reservationId": "r1"} | raw),
        ("POST", "/jit", {"clientId": "b1", "cu": 1000, "microLamportsPerCu": 7} | raw),
        ("GET", "/receipts?after=7&limit=1000", None),
    ]


CALLS: dict[str, tuple[Callable[[RaikuClient], Awaitable[object]], type[ChainError]]] = {
    "slots": (lambda client: client.slots(1, 60), Transient),
    "bid_aot": (lambda client: client.bid_aot([BID]), Transient),
    "cancel": (lambda client: client.cancel("r1"), Transient),
    "submit": (lambda client: client.submit("r1", [b"raw"]), Ambiguous),
    "bid_jit": (lambda client: client.bid_jit("b1", [b"raw"], 1, 1), Ambiguous),
    "receipts": (lambda client: client.receipts(7, 10), Transient),
}


@pytest.mark.parametrize("name", CALLS)
async def test_an_odd_answer_is_as_good_as_none(serve: Serve, http: Http, name: str) -> None:
    call, expected = CALLS[name]
    for answer in ODD:
        if (name in ("cancel", "submit")) and answer == {}:
            continue
        client = RaikuClient(await serve(answering(answer)), http)
        with pytest.raises(expected, match="Raiku answered in an unknown shape"):
            await call(client)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("code", "expected"),
    [("not_yet", Transient), ("unknown", Ambiguous), ("too_late", Definitive), ("new", Definitive)],
)
async def test_a_refusal_is_sorted_by_reaction(
    serve: Serve, http: Http, name: str, code: str, expected: type[ChainError]
) -> None:
    refusal = {"error": {"code": code, "message": "no\n" + "x" * 999}}
    client = RaikuClient(await serve(answering(refusal)), http)
    with pytest.raises(expected) as raised:
        await CALLS[name][0](client)
    assert type(raised.value) is expected
    assert str(raised.value) == "Raiku refuses: no " + "x" * 197


@pytest.mark.parametrize("name", CALLS)
async def test_a_venue_that_is_not_there_may_have_heard(http: Http, name: str) -> None:
    call, expected = CALLS[name]
    with pytest.raises(expected, match="could not be reached"):
        await call(RaikuClient("http://127.0.0.1:1", http))


async def refused(serve: Serve, http: Http, name: str, answer: Any) -> None:
    client = RaikuClient(await serve(answering(answer)), http)
    call, expected = CALLS[name]
    with pytest.raises(expected):
        await call(client)


@pytest.mark.parametrize(
    "change",
    [
        {"slot": 0},
        {"slot": 61},
        {"slot": True},
        {"leader": "x"},
        {"opensAtSlot": 39},
        {"closesAtSlot": 51},
        {"closesAtSlot": "38"},
        {"minMicroLamportsPerCu": -1},
        {"cuFree": 2**64},
    ],
)
async def test_an_impossible_offer_is_refused(
    serve: Serve, http: Http, change: dict[str, Any]
) -> None:
    await refused(serve, http, "slots", [OFFER | change])


@pytest.mark.parametrize(
    "change",
    [
        {"clientId": "b2"},
        {"state": "SOLD"},
        {"state": ["WON"]},
        {"slot": 51},
        {"id": ""},
        {"id": "x" * 65},
        {"reason": None},
        {"chargedLamports": 1.5},
        {"chargedLamports": 2**63},
    ],
)
async def test_an_impossible_reservation_is_refused(
    serve: Serve, http: Http, change: dict[str, Any]
) -> None:
    await refused(serve, http, "bid_aot", [RESERVATION | change])


async def test_answers_match_the_bids(serve: Serve, http: Http) -> None:
    await refused(serve, http, "bid_aot", [])
    await refused(serve, http, "bid_aot", [RESERVATION, RESERVATION])


@pytest.mark.parametrize(
    "receipts",
    [
        [RECEIPT | {"seq": 7}],
        [RECEIPT, RECEIPT],
        [RECEIPT | {"seq": n} for n in range(8, 19)],
        [RECEIPT | {"kind": "Won!"}],
        [RECEIPT | {"slot": "50"}],
        [RECEIPT | {"seq": 2**63}],
        [RECEIPT | {"slot": 2**63}],
        [RECEIPT | {"chargedLamports": 2**63}],
    ],
    ids=["old", "not rising", "too many", "kind", "slot", "far", "far slot", "dear"],
)
async def test_impossible_receipts_are_refused(serve: Serve, http: Http, receipts: Any) -> None:
    await refused(serve, http, "receipts", receipts)


async def test_a_receipt_of_a_newer_kind_is_passed_on(serve: Serve, http: Http) -> None:
    client = RaikuClient(await serve(answering([RECEIPT | {"kind": "new", "slot": None}])), http)
    (receipt,) = await client.receipts(0, 10)
    assert (receipt.kind, receipt.slot) == ("new", None)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({*OFFER, *RESERVATION, *RECEIPT})), inner)
    ),
    max_leaves=10,
)


@given(st.sampled_from([OFFER, RESERVATION, RECEIPT]), st.data())
def test_no_answer_raises_anything_else(good: dict[str, Any], data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(good)))
    answer = [good | {field: data.draw(json)}]
    decoders: list[Callable[[Any], object]] = [
        lambda found: raiku._offers(found, 0, 60),
        lambda found: raiku._reservations(found, [BID]),
        lambda found: raiku._receipts(found, 7, 10),
    ]
    for decode in decoders:
        try:
            decode(answer)
        except raiku._MALFORMED:
            continue
