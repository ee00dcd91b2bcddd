"""A batch as it is published: everything that anyone needs to check it, as canonical JSON.

Records are hexadecimal, amounts decimal text, signatures and keys of the chain base58. The same
bundle always has the same bytes, so that their hash names it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from solders.pubkey import Pubkey

from batches.clearing import Result
from batches.records import Fill, Header, Leaf, Malformed

FORMAT = "fairlane.bundle.1"

T = TypeVar("T", int, str, bool)


@dataclass(frozen=True, slots=True)
class TickTree:
    """What the batch's tick has put on chain.

    Attributes:
        number: of the tick.
        root: of the tree over the headers.
        headers: of all its batches, as bytes, in ascending order of their markets.
        previous: the root of the tick closed before.
        previous_anchor: the signature of the transaction that anchored that one; None if there is
            none.
    """

    number: int
    root: bytes
    headers: tuple[bytes, ...]
    previous: bytes
    previous_anchor: str | None


@dataclass(frozen=True, slots=True)
class Payout:
    """Atoms that an owner is sent: what the fills bring, and what is given back."""

    owner: bytes
    base: int
    quote: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A published batch.

    Attributes:
        name: of the market, which its address is made of.
        coordinator: the address that anchors and pays.
        receipt_key: the public key that signs receipts.
        base_mint, quote_mint: addresses.
        pool_used: whether the pool took its part; if not, the result is without one.
        anchor: the signature of the transaction that anchored the tick; None if there is none.
        settled: whether everything is paid.
        settlements: the signatures of the transactions that paid.
    """

    header: Header
    leaves: tuple[Leaf, ...]
    name: str
    coordinator: str
    receipt_key: str
    base_mint: str
    quote_mint: str
    tick: TickTree
    result: Result
    result_root: bytes
    pool_used: bool
    payouts: tuple[Payout, ...]
    anchor: str | None
    settled: bool
    settlements: tuple[str, ...]

    def __bytes__(self) -> bytes:
        tick, result = self.tick, self.result
        document = {
            "format": FORMAT,
            "header": bytes(self.header).hex(),
            "leaves": [bytes(leaf).hex() for leaf in self.leaves],
            "market": self.name,
            "coordinator": self.coordinator,
            "receiptKey": self.receipt_key,
            "baseMint": self.base_mint,
            "quoteMint": self.quote_mint,
            "tick": {
                "number": tick.number,
                "root": tick.root.hex(),
                "headers": [header.hex() for header in tick.headers],
                "previous": tick.previous.hex(),
                "previousAnchor": tick.previous_anchor,
            },
            "result": {
                "price": str(result.price),
                "poolUsed": self.pool_used,
                "poolLots": str(result.pool_lots),
                "poolQuote": str(result.pool_quote),
                "fills": [bytes(fill).hex() for fill in result.fills],
                "root": self.result_root.hex(),
            },
            "payouts": [
                {
                    "owner": str(Pubkey.from_bytes(payout.owner)),
                    "base": str(payout.base),
                    "quote": str(payout.quote),
                }
                for payout in self.payouts
            ],
            "anchor": self.anchor,
            "settled": self.settled,
            "settlements": list(self.settlements),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> bytes:
        """The hash that names the bundle."""
        return sha256(bytes(self)).digest()

    @classmethod
    def parse(cls, data: bytes) -> "Bundle":
        """The bundle that these bytes are.

        Raises:
            Malformed: they are none, or not in the one way to write it.
        """
        try:
            document = json.loads(data)
        except (RecursionError, ValueError) as error:
            raise Malformed("format", f"is no JSON: {error}") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise Malformed("format", f"is not {FORMAT}")
        try:
            bundle = _read(document)
        except Malformed:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Malformed("bundle", f"{type(error).__name__}: {error}") from None
        if bytes(bundle) != data.rstrip(b"\n"):
            raise Malformed("bundle", "is not written canonically")
        return bundle


def _read(document: Mapping[str, Any]) -> Bundle:
    tick, result = document["tick"], document["result"]
    return Bundle(
        header=Header.parse(bytes.fromhex(document["header"])),
        leaves=tuple(Leaf.parse(bytes.fromhex(leaf)) for leaf in document["leaves"]),
        name=_typed(str, document["market"]),
        coordinator=_typed(str, document["coordinator"]),
        receipt_key=_typed(str, document["receiptKey"]),
        base_mint=_typed(str, document["baseMint"]),
        quote_mint=_typed(str, document["quoteMint"]),
        tick=TickTree(
            number=_typed(int, tick["number"]),
            root=_hash(tick["root"]),
            headers=tuple(bytes.fromhex(header) for header in tick["headers"]),
            previous=_hash(tick["previous"]),
            previous_anchor=_signature(tick["previousAnchor"]),
        ),
        result=Result(
            price=int(result["price"]),
            pool_lots=int(result["poolLots"]),
            pool_quote=int(result["poolQuote"]),
            fills=tuple(Fill.parse(bytes.fromhex(fill)) for fill in result["fills"]),
        ),
        result_root=_hash(result["root"]),
        pool_used=_typed(bool, result["poolUsed"]),
        payouts=tuple(
            Payout(bytes(Pubkey.from_string(p["owner"])), int(p["base"]), int(p["quote"]))
            for p in document["payouts"]
        ),
        anchor=_signature(document["anchor"]),
        settled=_typed(bool, document["settled"]),
        settlements=tuple(_typed(str, signature) for signature in document["settlements"]),
    )


def _signature(value: object) -> str | None:
    return None if value is None else _typed(str, value)


def _hash(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != 32:
        raise Malformed("hash", f"has {len(data)} bytes, not 32")
    return data


def _typed(kind: type[T], value: object) -> T:
    # A bool is an int to isinstance.
    if type(value) is not kind:
        raise Malformed("bundle", f"{value!r} is no {kind.__name__}")
    return value
