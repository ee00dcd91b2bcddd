"""manage.py withdraw_fees: what a market has earned, out of the vault."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from batches import fees
from batches.fees import FeesError
from batches.management import arguments
from orders.amounts import to_text

COMMAND = "command:withdraw_fees"


class Command(BaseCommand):
    """Take a market's fees out of its vault."""

    help = "Pay the fees that a market has earned so far to a wallet. The workers move them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("market", help="the market's name")
        parser.add_argument(
            "--to",
            type=arguments.address,
            required=True,
            help="a wallet with accounts of the tokens",
        )

    def handle(self, market: str, **options: Any) -> None:
        row = arguments.market(market)
        try:
            paid = fees.withdraw(row, wallet=options["to"], by=COMMAND)
        except FeesError as error:
            raise CommandError(str(error)) from None
        tokens = {
            row.base_mint: (row.base_decimals, row.base_symbol),
            row.quote_mint: (row.quote_decimals, row.quote_symbol),
        }
        told = (
            f"{to_text(amount, tokens[mint][0])} {tokens[mint][1]}" for mint, amount in paid.items()
        )
        self.stdout.write(f"{' and '.join(told)} for {options['to']}")
