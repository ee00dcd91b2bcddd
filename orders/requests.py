"""What a client may ask, checked as far as that goes without the registry."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.json_schema import WithJsonSchema

BULK_LIMIT = 1_000

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def _decimal(value: object) -> Decimal:
    """A decimal from JSON text or a JSON number, exactly as written."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and len(value) <= 100 and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError("must be a decimal number, as text or as a number")


DecimalAmount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "number"}],
            "description": "Tokens as decimal text (or a number), such as `1.5`.",
            "examples": ["1.5"],
        }
    ),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class Request(BaseModel):
    """camelCase in, unknown fields refused, no silent conversions."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, validate_by_name=False
    )


class OrderRequest(Request):
    """A swap order. Tokens are symbols of the registry or mint addresses."""

    user_wallet: Name = Field(description="The wallet that swaps, base58.")
    input_token: Name
    output_token: Name
    input_amount: DecimalAmount
    slippage_bps: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="How far below the quote the swap may go, in hundredths of a percent.",
    )
    type: Literal["market"] = "market"


class BulkRequest(Request):
    """Up to 1,000 orders, each answered by itself."""

    orders: list[object] = Field(min_length=1, max_length=BULK_LIMIT)


class ChangeRequest(Request):
    """New terms of an order that waits; what is left out stays."""

    input_token: Name | None = None
    output_token: Name | None = None
    input_amount: DecimalAmount | None = None
    slippage_bps: int | None = Field(default=None, ge=0, le=10_000)


class QuoteComparisonRequest(Request):
    """A pair and an amount to compare the venues for."""

    input_token: Name
    output_token: Name
    input_amount: DecimalAmount
    slippage_bps: int | None = Field(default=None, ge=0, le=10_000)
