"""manage.py fund_pool: reserves out of the treasury's wallet into a market's pool."""

from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from uuid_utils.compat import uuid7

from batches import approvals, pools
from batches.management import arguments
from batches.management.commands.create_market import decimal
from batches.management.commands.sign_batch_order import keypair
from batches.pools import PoolError
from chains.errors import ChainError
from orders.amounts import AmountError, to_base_units

COMMAND = "command:fund_pool"


class Command(BaseCommand):
    """Fund a market's pool."""

    help = (
        "Have a wallet's tokens pulled into the vault, where they are the reserves of the market's"
        " pool. The workers move them; the same reference again moves nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("market", help="the market's name")
        parser.add_argument("--base", type=decimal, required=True, help="base tokens")
        parser.add_argument("--quote", type=decimal, required=True, help="quote tokens")
        parser.add_argument(
            "--from",
            dest="source",
            type=Path,
            required=True,
            # Customers' wallets have approved the coordinator too: an address would prove nothing.
            help="the wallet's Solana CLI keypair file, which approves the coordinator",
        )
        parser.add_argument(
            "--reference", help="a name for this deposit, of which there is one; default: a new one"
        )

    def handle(self, market: str, **options: Any) -> None:
        row = arguments.market(market)
        reference = options["reference"] or str(uuid7())
        if len(reference) > pools.REFERENCE_LENGTH:
            raise CommandError(f"a reference has {pools.REFERENCE_LENGTH} letters at most")
        amounts = {
            row.base_mint: _atoms("--base", options["base"], row.base_decimals),
            row.quote_mint: _atoms("--quote", options["quote"], row.quote_decimals),
        }
        try:
            key = keypair(options["source"])
            if row.uses_pool and not pools.deposits(row, reference):
                approvals.approve(row, key, amounts)
            is_new = pools.fund(
                row, wallet=str(key.pubkey()), amounts=amounts, reference=reference, by=COMMAND
            )
        except (PoolError, ChainError) as error:
            raise CommandError(str(error)) from None
        known = "" if is_new else " (there already)"
        self.stdout.write(f"{row.name} {reference}{known}")


def _atoms(option: str, amount: Decimal, decimals: int) -> int:
    try:
        return to_base_units(amount, decimals)
    except AmountError as error:
        raise CommandError(f"{option} {error}") from None
