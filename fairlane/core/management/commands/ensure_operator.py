"""manage.py ensure_operator: a superuser who signs in by link until a password is set."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Create the operator's account when it is absent."""

    help = "Create a superuser without a usable password; one that exists is left as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"]
        if User.objects.filter(username=name).exists():
            self.stdout.write(f"{name} exists")
            return
        User.objects.create_superuser(name, password=None)
        self.stdout.write(f"{name} created")
