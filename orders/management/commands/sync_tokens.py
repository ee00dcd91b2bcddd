import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.models import Token


class Command(BaseCommand):
    help = "Create or update tokens from a JSON list of {symbol, name, mint, decimals, token2022}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            entries = json.loads(file.read_text())
            tokens = [
                Token(
                    mint=entry["mint"],
                    symbol=entry["symbol"],
                    name=entry["name"],
                    decimals=entry["decimals"],
                    token2022=entry.get("token2022", False),
                )
                for entry in entries
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{file} is no token list: {error!r}") from error
        Token.objects.bulk_create(
            tokens,
            update_conflicts=True,
            unique_fields=["mint"],
            update_fields=["symbol", "name", "decimals", "token2022"],
        )
        self.stdout.write(f"{len(tokens)} tokens")
