"""Mints as they lie in account data, and what Token-2022 may do to those who hold them.

Every function raises what `decode` does for a shape it does not know.
"""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from chains.ports import Mint
from chains.solana.programs import TOKEN_2022_PROGRAM, TOKEN_PROGRAM

# The layout: decimals 44, initialized 45, 82 bytes in all. Token-2022 pads a mint with extensions
# to the 165 bytes of an account, then says that it is a mint (1), then lists them: type and
# length, u16 each, and the value.
_MINT_BYTES = 82
_DECIMALS = 44
_INITIALIZED = 45
_ACCOUNT_TYPE = 165
_MINT = 1

_HAZARDS = {
    1: "transfer fee",
    6: "accounts start frozen",
    9: "non-transferable",
    12: "permanent delegate",
    14: "transfer hook",
    26: "pausable",
}


def mint(address: str, value: Any) -> Mint | None:
    """The mint an account holds; None for anything else."""
    if value is None or value["owner"] not in (str(TOKEN_PROGRAM), str(TOKEN_2022_PROGRAM)):
        return None
    data = b64decode(value["data"][0], validate=True)
    extended = len(data) > _ACCOUNT_TYPE and data[_ACCOUNT_TYPE] == _MINT
    if not (len(data) == _MINT_BYTES or extended) or not data[_INITIALIZED]:
        return None
    found = _extensions(data[_ACCOUNT_TYPE + 1 :])
    return Mint(
        address=address,
        decimals=data[_DECIMALS],
        token2022=value["owner"] == str(TOKEN_2022_PROGRAM),
        hazards=tuple(_HAZARDS[kind] for kind in found if kind in _HAZARDS),
    )


def _extensions(data: bytes) -> Iterator[int]:
    """The types of the extensions, in the order they lie in; 0 ends the list."""
    while len(data) >= 4:
        kind, length = (int.from_bytes(data[i : i + 2], "little") for i in (0, 2))
        if kind == 0:
            return
        yield kind
        data = data[4 + length :]
