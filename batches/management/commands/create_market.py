"""manage.py create_market: two tokens of the registry that are traded in batches from now on."""

from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from batches import listing
from batches.listing import Listing, ListingError
from chains.errors import ChainError
from orders import registry as tokens
from orders.registry import TokenInfo

COMMAND = "command:create_market"


def decimal(text: str) -> Decimal:
    """A number as decimal text."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text} is no number") from None


class Command(BaseCommand):
    """Open a market."""

    help = (
        "Open a market of two tokens, and the vaults that it needs. The same call again changes"
        " nothing; one with other terms is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        price = "in quote tokens per base token"
        parser.add_argument("base", help="a symbol of the token registry, or a mint")
        parser.add_argument("quote", help="what prices are given in")
        parser.add_argument(
            "--lot", type=decimal, required=True, help="the smallest quantity, in base tokens"
        )
        parser.add_argument(
            "--tick", type=decimal, required=True, help=f"the smallest step of price, {price}"
        )
        parser.add_argument(
            "--reference", type=decimal, required=True, help=f"the first price, {price}"
        )
        parser.add_argument("--fee-bps", type=int, required=True, help="of both sides")
        parser.add_argument("--cadence-ms", type=int, default=1_000, help="from batch to batch")
        parser.add_argument(
            "--collar-bps", type=int, default=500, help="how far market orders may trade"
        )
        parser.add_argument(
            "--minimum-notional",
            type=decimal,
            help="the least an order is worth, in quote tokens; default: half a lot",
        )
        parser.add_argument(
            "--owner-cap", type=decimal, help="the most an owner's open orders are worth"
        )
        parser.add_argument(
            "--max-open-orders",
            type=int,
            default=listing.MAX_OPEN_ORDERS,
            help="how many an owner may have",
        )
        parser.add_argument(
            "--look-ahead", type=int, help="batches kept planned; default: BATCH_LOOK_AHEAD"
        )
        parser.add_argument(
            "--cutoff-lead-ms",
            type=int,
            help="from a batch's cutoff to its slot, the longest of its cadence's markets;"
            " default: CUTOFF_LEAD_MS",
        )
        parser.add_argument(
            "--lock-ms",
            type=int,
            default=0,
            help="so long before a cutoff orders can be improved, and not cancelled",
        )
        parser.add_argument(
            "--pool-fee-bps",
            type=int,
            help="of a pool that takes what batches leave; without it there is none: see fund_pool",
        )

    def handle(self, base: str, quote: str, **options: Any) -> None:
        asked = {name: options[name] for name in Listing.__slots__ if name in options}
        try:
            wanted = listing.market(Listing(base=_token(base), quote=_token(quote), **asked))
            is_new = listing.open_market(wanted, by=COMMAND)
        except (ListingError, ChainError) as error:
            raise CommandError(str(error)) from None
        known = "" if is_new else " (there already)"
        self.stdout.write(f"{wanted.name} {wanted.address}{known}")


def _token(name: str) -> TokenInfo:
    found = tokens.tokens().find(name)
    if found is None:
        raise CommandError(f"the token registry has no active token {name}: see sync_tokens")
    return found
