"""Tokens from a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.models import Token
from orders.tests.factories import MINTS

pytestmark = pytest.mark.django_db

SOL = {"symbol": "SOL", "name": "Solana", "mint": MINTS["SOL"], "decimals": 9, "token2022": False}
USDC = {"symbol": "USDC", "name": "USD Coin", "mint": MINTS["USDC"], "decimals": 6}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def sync(file: Path, *entries: Any) -> None:
    file.write_text(json.dumps(entries))
    call_command("sync_tokens", file)


def test_tokens_are_created_and_renamed(file: Path) -> None:
    sync(file, SOL, USDC)
    sync(file, SOL | {"symbol": "WSOL", "name": "Wrapped"}, USDC)
    assert list(Token.objects.values_list("symbol", "name", "decimals")) == [
        ("USDC", "USD Coin", 6),
        ("WSOL", "Wrapped", 9),
    ]


@pytest.mark.parametrize("change", [{"decimals": 8}, {"token2022": True}])
def test_what_amounts_are_counted_in_never_changes(file: Path, change: dict[str, Any]) -> None:
    sync(file, SOL)
    with pytest.raises(CommandError, match=f"would change: {MINTS['SOL']}"):
        sync(file, USDC, SOL | change)
    token = Token.objects.get()
    assert (token.mint, token.decimals, token.token2022) == (MINTS["SOL"], 9, False)


@pytest.mark.parametrize(
    "change",
    [
        {"mint": "So1111"},
        {"mint": 7},
        {"decimals": True},
        {"decimals": "9"},
        {"decimals": -1},
        {"decimals": 19},
        {"token2022": "no"},
    ],
)
def test_a_list_with_a_broken_entry_is_refused_as_a_whole(
    file: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(CommandError, match="is no token list"):
        sync(file, USDC, SOL | change)
    assert not Token.objects.exists()


def test_symbols_that_differ_by_case_only_are_refused(file: Path) -> None:
    with pytest.raises(CommandError, match="two tokens are called usdc"):
        sync(file, USDC, SOL | {"symbol": "usdc"})
    sync(file, USDC)
    with pytest.raises(CommandError, match="two tokens are called Usdc"):
        sync(file, SOL | {"symbol": "Usdc"})
    assert [token.symbol for token in Token.objects.all()] == ["USDC"]
