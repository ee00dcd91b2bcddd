"""What the back office may ask for over the API."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import WithJsonSchema

from stablecoin import reading

Name = Annotated[
    str,
    BeforeValidator(reading.name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128}),
]
Account = Annotated[
    str,
    BeforeValidator(reading.account),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}),
]
Amount = Annotated[
    int,
    BeforeValidator(reading.amount),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,77}$",
            "description": "Base units as text.",
            "examples": ["1000000000000000000"],
        }
    ),
]
ChainId = Annotated[
    int, BeforeValidator(reading.chain), WithJsonSchema({"type": "integer", "examples": [5920]})
]
Reference = Annotated[
    str,
    BeforeValidator(reading.reference),
    WithJsonSchema({"type": "string", "maxLength": 128}),
]


class StablecoinRequest(BaseModel):
    """A mint or redeem. The name makes it one and the same, however often it is asked for."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, validate_by_name=False
    )

    request_id: Name
    user_address: Account
    amount: Amount
    chain_id: ChainId
    fiat_ref: Reference = Field(default="", description="The bank's word for the money.")
