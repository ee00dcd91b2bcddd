"""A seller of block space over HTTP.

The port and this wire are ours, spoken by the sandbox's venue: Raiku's client API is not public.
Where it is known, this file changes and no other.

A venue is a counterparty. Nothing it says is believed before it was checked, and what it may have
done without saying so is `Ambiguous` where transactions were given to it.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar, get_args

import orjson
from solders.pubkey import Pubkey

from chains.blockspace import Bid, Receipt, Reservation, SlotOffer, State
from chains.errors import Ambiguous, ChainError, Definitive, Transient, outside_text
from chains.http import Http

PEER = "Raiku"
# The venue's limits for one question.
BIDS_PER_CALL = 500
RECEIPTS_PER_CALL = 1_000

_U64_MAX = 2**64 - 1
_I63_MAX = 2**63 - 1
_ID = re.compile(r"[!-~]{1,64}")
_KIND = re.compile(r"[a-z-]{1,24}")
_STATES = frozenset({*get_args(State), "UNKNOWN"})

# What the venue calls its refusals, by the reaction they ask for. Others are of the request.
_REFUSALS: dict[str, type[ChainError]] = {
    "unknown": Ambiguous,
    "not_yet": Transient,
}
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)

T = TypeVar("T")


class RaikuClient:
    """A `chains.blockspace.BlockspaceVenue`."""

    def __init__(self, url: str, http: Http, *, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __repr__(self) -> str:
        return "<RaikuClient>"

    async def slots(self, first: int, last: int) -> list[SlotOffer]:
        body = await self._get(f"/slots?first={first}&last={last}")
        return _decoded(body, lambda answer: _offers(answer, first, last))

    async def bid_aot(self, bids: Sequence[Bid]) -> list[Reservation]:
        async def ask(chunk: Sequence[Bid]) -> list[Reservation]:
            body = await self._post("/bids", [_bid(bid) for bid in chunk])
            return _decoded(body, lambda answer: _reservations(answer, chunk))

        chunks = [bids[i : i + BIDS_PER_CALL] for i in range(0, len(bids), BIDS_PER_CALL)]
        answered = await asyncio.gather(*(ask(chunk) for chunk in chunks))
        return [reservation for chunk in answered for reservation in chunk]

    async def cancel(self, reservation_id: str) -> None:
        body = await self._post("/cancel", {"reservationId": reservation_id})
        _decoded(body, _nothing)

    async def submit(self, reservation_id: str, transactions: Sequence[bytes]) -> None:
        request = {"reservationId": reservation_id, "transactions": _base64(transactions)}
        _decoded(await self._commit("/submit", request), _nothing, malformed=Ambiguous)

    async def bid_jit(
        self, client_id: str, transactions: Sequence[bytes], cu: int, micro_lamports_per_cu: int
    ) -> Reservation:
        request = {
            "clientId": client_id,
            "transactions": _base64(transactions),
            "cu": cu,
            "microLamportsPerCu": micro_lamports_per_cu,
        }
        body = await self._commit("/jit", request)
        return _decoded(body, lambda answer: _reservation(answer, client_id), malformed=Ambiguous)

    async def receipts(self, after_seq: int, limit: int) -> list[Receipt]:
        limit = min(limit, RECEIPTS_PER_CALL)
        body = await self._get(f"/receipts?after={after_seq}&limit={limit}")
        return _decoded(body, lambda answer: _receipts(answer, after_seq, limit))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _get(self, path: str) -> bytes:
        return await self._http.get(self._url + path, peer=PEER, headers=self._headers)

    async def _post(self, path: str, request: object) -> bytes:
        return await self._http.post(
            self._url + path, orjson.dumps(request), peer=PEER, headers=self._headers
        )

    async def _commit(self, path: str, request: object) -> bytes:
        """As `_post`, where no answer means that transactions may be on their way."""
        try:
            return await self._post(path, request)
        except Transient as error:
            raise Ambiguous(str(error)) from None


def _decoded(
    body: bytes, decode: Callable[[Any], T], *, malformed: type[ChainError] = Transient
) -> T:
    """What the answer says.

    Raises:
        ChainError: it is a refusal, or of a shape that is not known.
    """
    try:
        answer = orjson.loads(body)
        if isinstance(answer, dict) and "error" in answer:
            code, message = answer["error"]["code"], answer["error"]["message"]
            raise _REFUSALS.get(code, Definitive)(f"{PEER} refuses: {outside_text(message)}")
        return decode(answer)
    except _MALFORMED as error:
        raise malformed(f"{PEER} answered in an unknown shape ({type(error).__name__})") from None


def _nothing(answer: Any) -> None:
    if answer != {}:
        raise ValueError("an empty object is expected")


def _offers(answer: Any, first: int, last: int) -> list[SlotOffer]:
    offers = [
        SlotOffer(
            slot=_between(first, last, item["slot"]),
            leader=str(Pubkey.from_string(item["leader"])),
            opens_at_slot=_between(0, item["closesAtSlot"], item["opensAtSlot"]),
            closes_at_slot=_between(0, item["slot"], item["closesAtSlot"]),
            min_micro_lamports_per_cu=_u64(item["minMicroLamportsPerCu"]),
            cu_free=_u64(item["cuFree"]),
        )
        for item in _list(answer)
    ]
    _check_rising([offer.slot for offer in offers])
    return offers


def _bid(bid: Bid) -> dict[str, object]:
    return {
        "clientId": bid.client_id,
        "slot": bid.slot,
        "cu": bid.cu,
        "maxMicroLamportsPerCu": bid.max_micro_lamports_per_cu,
    }


def _reservations(answer: Any, bids: Sequence[Bid]) -> list[Reservation]:
    found = [
        _reservation(item, bid.client_id) for item, bid in zip(_list(answer), bids, strict=True)
    ]
    if any(one.slot != bid.slot for one, bid in zip(found, bids, strict=True)):
        raise ValueError("the answer is for another slot")
    return found


def _reservation(item: Any, client_id: str) -> Reservation:
    if item["clientId"] != client_id:
        raise ValueError("the answer is for another bid")
    if item["state"] not in _STATES:
        raise ValueError("the state is unknown")
    return Reservation(
        id=_matching(_ID, item["id"]),
        client_id=client_id,
        state=item["state"],
        slot=_i63(item["slot"]),
        reason=_text(item["reason"]),
        charged=_i63(item["chargedLamports"]),
    )


def _receipts(answer: Any, after_seq: int, limit: int) -> list[Receipt]:
    receipts = [_receipt(item) for item in _list(answer)]
    if len(receipts) > limit:
        raise ValueError("more than was asked for")
    _check_rising([after_seq, *(receipt.seq for receipt in receipts)])
    return receipts


def _receipt(item: Any) -> Receipt:
    return Receipt(
        seq=_i63(item["seq"]),
        reservation_id=_matching(_ID, item["reservationId"]),
        client_id=_matching(_ID, item["clientId"]),
        kind=_matching(_KIND, item["kind"]),
        slot=None if item["slot"] is None else _i63(item["slot"]),
        reason=_text(item["reason"]),
        charged_lamports=_i63(item["chargedLamports"]),
    )


def _base64(transactions: Sequence[bytes]) -> list[str]:
    return [b64encode(transaction).decode() for transaction in transactions]


def _list(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise TypeError("a list is expected")
    return answer


def _check_rising(numbers: Sequence[int]) -> None:
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise ValueError("the order is wrong")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return outside_text(value)


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError("a name is malformed")
    return value


def _u64(value: Any) -> int:
    return _between(0, _U64_MAX, value)


def _i63(value: Any) -> int:
    """What is kept: a column holds no more."""
    return _between(0, _I63_MAX, value)


def _between(minimum: int, maximum: Any, value: Any) -> int:
    if type(value) is not int or not minimum <= value <= maximum:
        raise ValueError("a number is malformed or out of range")
    return value
