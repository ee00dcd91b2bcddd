"""manage.py sign_batch_order: an order that its owner's key has signed, ready to be sent."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from solders.keypair import Keypair
from solders.signature import Signature

from batches import offers
from batches.management import arguments
from batches.management.commands.create_market import decimal
from batches.records import Malformed, Order
from batches.requests import HeldOrder
from chains import registry as adapters
from chains.errors import ChainError
from fairlane.core import validation
from fairlane.core.errors import Problem


class Command(BaseCommand):
    """Sign an order; nothing is sent."""

    help = "Sign an order with a key file, and print the body for POST /api/batches/MARKET/orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", type=Path, help="the owner's Solana CLI keypair file")
        parser.add_argument("market", help="the market's name")
        parser.add_argument("side", choices=["buy", "sell"])
        parser.add_argument("quantity", type=decimal, help="in base tokens")
        parser.add_argument(
            "--price",
            type=decimal,
            help="the worst, in quote tokens per base token; without it, a market order",
        )
        parser.add_argument("--time-in-force", choices=["roll", "oneBatch"], default="roll")
        parser.add_argument("--expires-in-slots", type=int, default=100_000)
        parser.add_argument("--max-fee-bps", type=int, help="default: the market's fee")
        parser.add_argument("--nonce", type=int, help="default: a random one")

    def handle(self, key: Path, market: str, **options: Any) -> None:
        row = arguments.market(market)
        owner = keypair(key)
        nonce = options["nonce"]
        try:
            terms = _terms(str(owner.pubkey()), options)
            slot = adapters.run(adapters.solana().slot())
            record = bytes(offers.order_of(row, terms, slot=slot, nonce=nonce))
            Order.parse(record)
        except Problem as problem:
            raise CommandError(
                "; ".join(f"{e.field}: {e.message}" for e in problem.errors)
            ) from None
        except (Malformed, ChainError) as error:
            raise CommandError(str(error)) from None
        signature = Signature.from_bytes(bytes(owner.sign_message(record)))
        self.stdout.write(json.dumps({"record": record.hex(), "signature": str(signature)}))


def keypair(path: Path) -> Keypair:
    """The key, or an error that carries nothing of it."""
    try:
        return Keypair.from_json(path.read_text())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CommandError(f"{path} holds no Solana keypair") from None


def _terms(wallet: str, options: Mapping[str, Any]) -> HeldOrder:
    """The terms, as a request for a wallet whose key is held gives them."""
    price = options["price"]
    body = {
        "wallet": wallet,
        "side": options["side"],
        "type": "market" if price is None else "limit",
        "quantity": options["quantity"],
        "limitPrice": price,
        "timeInForce": options["time_in_force"],
        "maxFeeBps": options["max_fee_bps"],
        "expiresInSlots": options["expires_in_slots"],
    }
    return validation.parse(HeldOrder, body)
