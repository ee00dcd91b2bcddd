"""The world's files: private keys, and accounts the real token programs accept."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from solders.token.state import Mint, TokenAccount, TokenAccountState

from sandbox.genesis import ACCOUNT, associated_token_account, rent_exempt
from sandbox.tokens import NATIVE_MINT, TOKENS, Token
from sandbox.world import TRADER_USD, World, write_world


@pytest.fixture(scope="module")
def accounts(world: World) -> dict[str, dict[str, Any]]:
    content = json.loads(world.genesis.read_text())
    return {account["address"]: account for account in content["accounts"]}


def data(account: dict[str, Any]) -> bytes:
    return base64.b64decode(account["data"])


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.symbol)
def test_mints_are_those_of_the_token_program(
    token: Token, accounts: dict[str, dict[str, Any]], world: World
) -> None:
    account = accounts[str(token.mint)]
    mint = Mint.from_bytes(data(account))
    native = token.mint == NATIVE_MINT
    assert account["owner"] == str(token.program)
    assert mint.decimals == token.decimals
    assert mint.is_initialized
    assert mint.mint_authority == (None if native else world.mint_authority.pubkey())


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.symbol)
def test_a_mints_supply_is_what_all_accounts_hold(
    token: Token, accounts: dict[str, dict[str, Any]]
) -> None:
    holdings = [
        TokenAccount.from_bytes(data(account)[: ACCOUNT.size])
        for account in accounts.values()
        if len(data(account)) >= ACCOUNT.size
    ]
    held = sum(holding.amount for holding in holdings if holding.mint == token.mint)
    supply = Mint.from_bytes(data(accounts[str(token.mint)])).supply
    assert held > 0
    assert supply == (0 if token.mint == NATIVE_MINT else held)


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.symbol)
def test_traders_hold_every_token_at_its_usual_address(
    token: Token, accounts: dict[str, dict[str, Any]], world: World
) -> None:
    trader = world.traders["trader-01"].pubkey()
    account = accounts[str(associated_token_account(trader, token))]
    holding = TokenAccount.from_bytes(data(account)[: ACCOUNT.size])
    assert (holding.owner, holding.mint) == (trader, token.mint)
    assert holding.amount == token.worth(TRADER_USD)
    assert holding.state == TokenAccountState.Initialized
    rent = rent_exempt(len(data(account)))
    native = token.mint == NATIVE_MINT
    assert account["lamports"] == (rent + holding.amount if native else rent)
    assert holding.is_native == (rent if native else None)


def test_rent_is_the_chains() -> None:
    assert (rent_exempt(82), rent_exempt(165)) == (1_461_600, 2_039_280)


def test_a_second_start_keeps_keys_and_accounts(tmp_path: Path) -> None:
    first = write_world(tmp_path, traders=1)
    genesis = first.genesis.read_bytes()
    second = write_world(tmp_path, traders=1)
    assert second.addresses == first.addresses
    assert second.genesis.read_bytes() == genesis


def test_keys_are_their_owners_only(tmp_path: Path) -> None:
    world = write_world(tmp_path / "new", traders=1)
    modes = {
        path.relative_to(tmp_path): path.stat().st_mode & 0o777
        for path in (tmp_path / "new" / "wallets").rglob("*")
    }
    assert {mode for path, mode in modes.items() if path.suffix == ".json"} == {0o600}
    assert {mode for path, mode in modes.items() if not path.suffix} == {0o700}
    assert world.trader_keys.is_dir()
    assert [path.name for path in world.trader_keys.iterdir()] == ["trader-01.json"]


def test_amounts_worth_dollars_are_rounded_down() -> None:
    prices = {token.symbol: token.worth(1) for token in TOKENS}
    assert prices["SOL"] == 6_250_000
    assert prices["BONK"] == 5_000_000_000
    assert prices["USDC"] == 1_000_000
