"""manage.py sign_in_link: the path of a link that signs a user in, once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from fairlane.core import sign_in_links


class Command(BaseCommand):
    """Print a one-time sign-in path."""

    help = "Print the path of a link that signs the user in, once, within half an hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['username']}")
        self.stdout.write(sign_in_links.create(user))
