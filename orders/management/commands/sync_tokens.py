import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from solders.pubkey import Pubkey

from orders.models import Token

# What a mint can hold is one byte; beyond 18 nobody has a token, and a slip of the pen is likelier.
MOST_DECIMALS = 18


class Command(BaseCommand):
    help = "Create or update tokens from a JSON list of {symbol, name, mint, decimals, token2022}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            tokens = [_token(entry) for entry in json.loads(file.read_text())]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{file} is no token list: {error!r}") from error
        _refuse_doubles(tokens)
        _refuse_other_amounts(tokens)
        Token.objects.bulk_create(
            tokens,
            update_conflicts=True,
            unique_fields=["mint"],
            update_fields=["symbol", "name"],
        )
        self.stdout.write(f"{len(tokens)} tokens")


def _token(entry: dict[str, Any]) -> Token:
    mint, decimals, token2022 = entry["mint"], entry["decimals"], entry.get("token2022", False)
    Pubkey.from_string(mint)
    if type(decimals) is not int or not 0 <= decimals <= MOST_DECIMALS:
        raise ValueError(f"{mint} has decimals {decimals!r}")
    if type(token2022) is not bool:
        raise ValueError(f"{mint} has token2022 {token2022!r}")
    return Token(
        mint=mint,
        symbol=entry["symbol"],
        name=entry["name"],
        decimals=decimals,
        token2022=token2022,
    )


def _refuse_doubles(tokens: Sequence[Token]) -> None:
    """Symbols are names for people: two that differ by case only would be taken for each other."""
    owners = {symbol.lower(): mint for mint, symbol in Token.objects.values_list("mint", "symbol")}
    # A token of the list may take another symbol than the one it has.
    renamed = {token.mint for token in tokens}
    taken = {symbol: mint for symbol, mint in owners.items() if mint not in renamed}
    for token in tokens:
        if taken.setdefault(token.symbol.lower(), token.mint) != token.mint:
            raise CommandError(f"two tokens are called {token.symbol}")


def _refuse_other_amounts(tokens: Sequence[Token]) -> None:
    """A mint's decimals and program are for ever, and stored amounts are counted in them."""
    known = Token.objects.in_bulk([token.mint for token in tokens])
    changed = [
        token.mint
        for token in tokens
        if (stored := known.get(token.mint))
        and (stored.decimals, stored.token2022) != (token.decimals, token.token2022)
    ]
    if changed:
        raise CommandError(f"decimals or token2022 would change: {', '.join(changed)}")
