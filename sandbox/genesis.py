"""The accounts a new chain starts with: mints, token accounts, and lamports for fees."""

import base64
import struct
from collections.abc import Mapping
from typing import Any

from solders.pubkey import Pubkey

from sandbox.tokens import NATIVE_MINT, TOKENS, Token

SYSTEM_PROGRAM = Pubkey.default()
ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
LAMPORTS_PER_SOL = 10**9

# A COption is a u32 tag and its value. Little-endian, packed.
MINT = struct.Struct("<I32sQB?I32s")  # mint authority, supply, decimals, initialized, freeze auth.
ACCOUNT = struct.Struct("<32s32sQI32sBIQQI32s")
# mint, owner, amount, delegate, state, is_native (the rent reserve), delegated amount, close auth.
INITIALIZED = 1
# What the ATA program gives an account of Token-2022: the account type 2, then the extension
# ImmutableOwner (u16 7) with an empty value (u16 0).
IMMUTABLE_OWNER = struct.pack("<BHH", 2, 7, 0)

Holdings = Mapping[Pubkey, Mapping[str, int]]
"""owner → token symbol → base units"""


def genesis_accounts(
    *, lamports: Mapping[Pubkey, int], holdings: Holdings, mint_authority: Pubkey
) -> list[dict[str, Any]]:
    """Everything the node loads at its first start.

    Args:
        lamports: the wallets' own balances, for fees.
        holdings: what each wallet holds in its associated token accounts.
        mint_authority: may mint every token but wrapped SOL, which has no supply of its own.
    """
    accounts = [
        _account(wallet, amount, SYSTEM_PROGRAM, b"") for wallet, amount in lamports.items()
    ]
    accounts += [_mint(token, mint_authority, _supply(token, holdings)) for token in TOKENS]
    accounts += [
        _token_account(token, owner, held[token.symbol])
        for owner, held in holdings.items()
        for token in TOKENS
        if token.symbol in held
    ]
    return accounts


def associated_token_account(owner: Pubkey, token: Token) -> Pubkey:
    seeds = [bytes(owner), bytes(token.program), bytes(token.mint)]
    return Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)[0]


def rent_exempt(size: int) -> int:
    """Lamports that exempt an account of `size` bytes from rent: 128 bytes of overhead, two years
    at 3,480 lamports per byte-year."""
    return (128 + size) * 3480 * 2


def _supply(token: Token, holdings: Holdings) -> int:
    if token.mint == NATIVE_MINT:
        return 0
    return sum(held.get(token.symbol, 0) for held in holdings.values())


def _mint(token: Token, authority: Pubkey, supply: int) -> dict[str, Any]:
    has_authority = token.mint != NATIVE_MINT
    key = bytes(authority) if has_authority else bytes(32)
    data = MINT.pack(has_authority, key, supply, token.decimals, True, 0, bytes(32))
    return _account(token.mint, rent_exempt(len(data)), token.program, data)


def _token_account(token: Token, owner: Pubkey, amount: int) -> dict[str, Any]:
    extension = IMMUTABLE_OWNER if token.token2022 else b""
    rent = rent_exempt(ACCOUNT.size + len(extension))
    native = token.mint == NATIVE_MINT
    data = ACCOUNT.pack(
        bytes(token.mint),
        bytes(owner),
        amount,
        0,
        bytes(32),
        INITIALIZED,
        native,
        rent if native else 0,
        0,
        0,
        bytes(32),
    )
    lamports = rent + amount if native else rent
    address = associated_token_account(owner, token)
    return _account(address, lamports, token.program, data + extension)


def _account(address: Pubkey, lamports: int, owner: Pubkey, data: bytes) -> dict[str, Any]:
    return {
        "address": str(address),
        "lamports": lamports,
        "owner": str(owner),
        "data": base64.b64encode(data).decode(),
        "executable": False,
    }
