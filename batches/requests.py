"""What a client may ask of a market, checked as far as that goes without it."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError
from solders.signature import Signature

from batches.records import ORDER_SIZE
from orders.requests import DecimalAmount, Name, Request

MAX_SLOTS = 2**48


def _record(value: object) -> bytes:
    """The bytes of an order's record."""
    if not isinstance(value, str) or len(value) != 2 * ORDER_SIZE:
        raise ValueError(f"must be {2 * ORDER_SIZE} hexadecimal digits")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise ValueError("must be hexadecimal digits") from None


def _signature(value: object) -> bytes:
    """The bytes of an Ed25519 signature."""
    try:
        return bytes(Signature.from_string(value if isinstance(value, str) else ""))
    except ValueError:
        raise ValueError("must be a signature in base58") from None


Record = Annotated[
    bytes,
    BeforeValidator(_record),
    WithJsonSchema({"type": "string", "description": "The 128 bytes of the order, hexadecimal."}),
]
OwnersSignature = Annotated[
    bytes,
    BeforeValidator(_signature),
    WithJsonSchema({"type": "string", "description": "The owner's signature of them, base58."}),
]


class SignedOrder(Request):
    """An order that its owner has signed."""

    record: Record
    signature: OwnersSignature


class HeldOrder(Request):
    """Terms of an order for a wallet whose key is held here, which signs it."""

    wallet: Name = Field(description="The owner, base58.")
    side: Literal["buy", "sell"]
    type: Literal["limit", "market"] = "limit"
    quantity: DecimalAmount = Field(description="Base tokens: a multiple of the market's lot.")
    limit_price: DecimalAmount | None = Field(
        default=None,
        description="Quote tokens per base token; required for a limit order.",
        validate_default=True,
    )
    time_in_force: Literal["roll", "oneBatch"] = "roll"
    max_fee_bps: int | None = Field(default=None, ge=0, le=10_000)
    expires_in_slots: int = Field(default=100_000, ge=1, le=MAX_SLOTS)

    @field_validator("limit_price")
    @classmethod
    def _goes_with_the_type(cls, value: Decimal | None, known: ValidationInfo) -> Decimal | None:
        """With the other fields, so that whoever sends too little hears of all at once."""
        kind = known.data.get("type")
        if kind == "limit" and value is None:
            raise PydanticCustomError("required", "A limit order needs one.")
        if kind == "market" and value is not None:
            message = "A market order trades at the collar at worst."
            raise PydanticCustomError("not_allowed", message)
        return value
