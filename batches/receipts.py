"""Receipts: what the coordinator promises to whose order it accepts. Pure."""

import json
import struct
from dataclasses import dataclass
from hashlib import sha256

from solders.signature import Signature

from batches.records import Malformed, pack, signed_by, unpack

_LAYOUT = struct.Struct("<16s32s32sIQQ32s")
DOMAIN = b"fairlane.recpt.1"
# What the receipt of a market's first order points back to.
NO_RECEIPT = bytes(32)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The coordinator's promise to include an order, which makes leaving it out provable.

    Attributes:
        seq: counts the market's receipts without a gap, from 1.
        batch_no: the batch that the order is for.
        previous: the hash of the market's receipt before.
    """

    market: bytes
    order_hash: bytes
    seq: int
    batch_no: int
    cutoff_slot: int
    previous: bytes

    def __bytes__(self) -> bytes:
        return pack(
            _LAYOUT,
            DOMAIN,
            self.market,
            self.order_hash,
            self.seq,
            self.batch_no,
            self.cutoff_slot,
            self.previous,
        )

    @property
    def hash(self) -> bytes:
        return sha256(b"\x03" + bytes(self)).digest()

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """The receipt that these bytes are.

        Raises:
            Malformed: they are none.
        """
        return cls(*unpack(_LAYOUT, data, DOMAIN, "receipt"))

    def follows(self, before: "Receipt | None") -> bool:
        """Whether it is the market's next receipt after `before`, or the first for None."""
        if before is None:
            return self.seq == 1 and self.previous == NO_RECEIPT
        same = self.market == before.market
        return same and self.seq == before.seq + 1 and self.previous == before.hash


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt with the signature over its bytes."""

    receipt: Receipt
    signature: bytes

    def is_signed(self, key: bytes) -> bool:
        """Whether the public key has signed it."""
        return signed_by(key, bytes(self.receipt), self.signature)

    @classmethod
    def read(cls, data: bytes) -> "SignedReceipt":
        """The receipt in the JSON of an accepted order, or in its member `receipt`.

        Raises:
            Malformed: there is none.
        """
        try:
            document = json.loads(data)
            document = document.get("receipt", document)
            record = bytes.fromhex(document["record"])
            signature = bytes(Signature.from_string(document["signature"]))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise Malformed("receipt", f"{type(error).__name__}: {error}") from None
        return cls(Receipt.parse(record), signature)
