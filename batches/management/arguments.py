"""What commands are given, as what it names."""

from django.core.management.base import CommandError
from solders.pubkey import Pubkey

from batches.models import Market


def address(text: str) -> str:
    """A wallet's address.

    Raises:
        ValueError: it is none.
    """
    return str(Pubkey.from_string(text))


def market(name: str) -> Market:
    """The market of this name.

    Raises:
        CommandError: there is none.
    """
    found = Market.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"there is no market {name}")
    return found
