"""manage.py drain_pool: everything that a market's pool holds, back to the treasury."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from batches import pools
from batches.management import arguments
from batches.pools import PoolError
from orders.amounts import to_text

COMMAND = "command:drain_pool"


class Command(BaseCommand):
    """Empty a market's pool."""

    help = (
        "Pay what a market's pool holds out of the vault. While a batch has committed to the"
        " reserves they stay; that is over within seconds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("market", help="the market's name")
        parser.add_argument(
            "--to",
            type=arguments.address,
            help="a wallet; default: the only one that has funded the pool",
        )

    def handle(self, market: str, **options: Any) -> None:
        row = arguments.market(market)
        try:
            paid = pools.drain(row, wallet=options["to"], by=COMMAND)
        except PoolError as error:
            raise CommandError(str(error)) from None
        base, quote = to_text(paid.base, row.base_decimals), to_text(paid.quote, row.quote_decimals)
        self.stdout.write(
            f"{base} {row.base_symbol} and {quote} {row.quote_symbol} for {paid.wallet}"
        )
