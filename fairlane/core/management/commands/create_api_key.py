"""manage.py create_api_key: a new key, printed once and alone, for scripts to read."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fairlane.core import keys
from fairlane.core.errors import Problem
from fairlane.core.principals import SCOPES


class Command(BaseCommand):
    """Issue an API key."""

    help = "Issue an API key and print it; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--scopes", required=True, help=f"of {', '.join(SCOPES)}")
        parser.add_argument("--wallets", default="", help="addresses, comma-separated, or *")
        parser.add_argument("--expires-days", type=int, help="default: never")
        parser.add_argument("--throttle-exempt", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_days"]
        try:
            _, plain = keys.issue(
                name=options["name"],
                scopes=_words(options["scopes"]),
                wallets=_words(options["wallets"]),
                by="command:create_api_key",
                expires_at=None if days is None else timezone.now() + timedelta(days=days),
                throttle_exempt=options["throttle_exempt"],
            )
        except Problem as problem:
            raise CommandError("; ".join(error.message for error in problem.errors)) from problem
        self.stdout.write(plain)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
