"""Mints on a real node, one of which keeps a fee of every transfer."""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from uuid import uuid4

import pytest
from solders.pubkey import Pubkey

from chains.http import Http
from chains.solana import landing, transfers
from chains.solana.client import SolanaClient
from chains.solana.keystore import KeyStore
from chains.solana.swap import Token, token_account
from chains.tests.transfer_support import PYUSD, USDC, Chain, land, landed, sign
from sandbox.parts import start_node, write_world

TAXED = Token(str(Pubkey.new_unique()), 6, token2022=True)
FEE_BPS = 100
MINT_BYTES, ACCOUNT_BYTES = 82, 165
MANY_LAMPORTS = 10**9


def _taxed(model: dict[str, object], address: str, data: bytes) -> dict[str, object]:
    return model | {
        "address": address,
        "lamports": MANY_LAMPORTS,
        "data": b64encode(data).decode(),
    }


def _data(account: dict[str, object]) -> bytes:
    return b64decode(str(account["data"]))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Trader 1 holds what PYUSD would be with a transfer fee; trader 2 is the coordinator."""
    directory = tmp_path_factory.mktemp("chain")
    world = write_world(directory / "world", traders=14)
    genesis = json.loads(world.genesis.read_text())
    accounts = {account["address"]: account for account in genesis["accounts"]}
    schedule = struct.pack("<QQH", 0, 2**63, FEE_BPS)
    fee_config = struct.pack("<BHH32s32sQ", 1, 1, 108, b"", b"", 0) + schedule * 2
    mint = _data(accounts[PYUSD.mint])[:MINT_BYTES].ljust(ACCOUNT_BYTES, b"\0") + fee_config
    owner = world.addresses["trader-01"]
    model = accounts[token_account(owner, PYUSD)]
    fee_amount = struct.pack("<HHQ", 2, 8, 0)
    account = bytes(Pubkey.from_string(TAXED.mint)) + _data(model)[32:] + fee_amount
    genesis["accounts"] += [
        _taxed(accounts[PYUSD.mint], TAXED.mint, mint),
        _taxed(model, token_account(owner, TAXED), account),
    ]
    world.genesis.write_text(json.dumps(genesis))
    part = start_node(directory, genesis=world.genesis, slot_ms=20)
    yield Chain(world, part, KeyStore(world.trader_keys))
    part.stop()


@pytest.fixture
async def node(chain: Chain, http: Http) -> SolanaClient:
    return SolanaClient(chain.part.url, http)


async def test_mints_are_told_with_what_endangers_a_vault(chain: Chain, node: SolanaClient) -> None:
    account = token_account(chain.owner(1), USDC)
    addresses = [USDC.mint, PYUSD.mint, TAXED.mint, account, chain.owner(1)]
    usdc, pyusd, taxed, *others = await node.mints(addresses)
    assert usdc is not None and pyusd is not None and taxed is not None
    assert (usdc.address, usdc.decimals, usdc.token2022, usdc.hazards) == (USDC.mint, 6, False, ())
    assert (pyusd.token2022, pyusd.hazards) == (True, ())
    assert (taxed.token2022, taxed.hazards) == (True, ("transfer fee",))
    assert others == [None, None]


async def test_a_fee_that_a_mint_keeps_shows_as_a_difference(
    chain: Chain, node: SolanaClient
) -> None:
    owner = chain.owner(1)
    source = token_account(owner, TAXED)
    move = transfers.payout(TAXED, vault=source, owner=chain.coordinator, amount=1000, create=True)
    packet = transfers.Packet(owner, owner, [move], str(uuid4()))
    attempt = await sign(chain, node, packet)
    assert isinstance(await land(node, attempt), landing.Confirmed)
    differences = transfers.differences(await landed(node, attempt), [move])
    assert differences == {move.destination: (1000, 990)}
