"""The leaves of a batch as columns over their bytes: none of them becomes an object."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from batches.records import LEAF_SIZE, ORDER_SIZE, Leaf, Malformed, order_hash

# As `records.Leaf` lays it out.
LAYOUT = np.dtype(
    [
        ("domain", "V16"),
        ("market", "V32"),
        ("owner", "V32"),
        ("nonce", "<u8"),
        ("side", "u1"),
        ("type", "u1"),
        ("time_in_force", "u1"),
        ("flags", "u1"),
        ("max_fee_bps", "<u2"),
        ("pad", "<u2"),
        ("limit", "<i8"),
        ("quantity", "<u8"),
        ("expiry_slot", "<u8"),
        ("from_slot", "<u8"),
        ("signature", "V64"),
        ("remaining", "<u8"),
        ("age", "<u4"),
        ("receipt_seq", "<u4"),
    ]
)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The bytes of leaves, one after the other."""

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) % LEAF_SIZE:
            raise Malformed("leaves", f"are not of {LEAF_SIZE} bytes each")

    @classmethod
    def of(cls, leaves: Iterable[Leaf]) -> "Leaves":
        return cls(b"".join(map(bytes, leaves)))

    def __len__(self) -> int:
        return len(self.data) // LEAF_SIZE

    def column(self, name: str) -> npt.NDArray[np.int64]:
        """A field of numbers; what 63 bits do not hold comes out below zero."""
        return np.frombuffer(self.data, LAYOUT)[name].astype(np.int64)

    def owners(self) -> list[bytes]:
        """The public keys of the owners."""
        keys = np.frombuffer(self.data, LAYOUT)["owner"].tobytes()
        return [keys[at : at + 32] for at in range(0, len(keys), 32)]

    def hashes(self) -> list[bytes]:
        """What the orders are known by."""
        data = self.data
        return [order_hash(data[at : at + ORDER_SIZE]) for at in range(0, len(data), LEAF_SIZE)]
