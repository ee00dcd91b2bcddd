from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from fairlane.core import audit
from stablecoin.models import Chain

DECIMALS = 18
NOTHING = "none"
# More than all money there is, and far below what the column holds.
MOST = Decimal(10) ** 30

OPTIONS = {
    "four_eyes_above": "requests of more than this need two people",
    "per_request_cap": "the most that one request may ask for",
    "per_address_daily_cap": "the most for one account in a UTC day",
    "daily_cap": "the most on the chain in a UTC day",
}


def base_units(text: str) -> int | None:
    """The base units of so many tokens; None for "none"."""
    if text == NOTHING:
        return None
    try:
        tokens = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text} is no amount") from None
    if not tokens.is_finite() or not 0 <= tokens <= MOST:
        raise ArgumentTypeError(f"{text} is out of range")
    with localcontext(prec=80):  # the default one would round large amounts
        units = tokens.scaleb(DECIMALS)
        if units != units.to_integral_value():
            raise ArgumentTypeError(f"{text} has more than {DECIMALS} decimals")
        return int(units)


class Command(BaseCommand):
    help = "Set a chain's limits, in tokens. Those that are not named stay; none is no limit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("chain", type=int, help="the chain's id")
        for name, meaning in OPTIONS.items():
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, type=base_units, metavar="TOKENS", default=..., help=meaning)
        parser.add_argument("--reason", default="", help="for the audit trail")
        parser.add_argument(
            "--initial", action="store_true", help="leave a chain alone that has a limit already"
        )

    def handle(self, *, chain: int, reason: str, initial: bool, **options: Any) -> None:
        given = {name: options[name] for name in OPTIONS if options[name] is not ...}
        if not given:
            raise CommandError("name at least one limit")
        with transaction.atomic():
            row = Chain.objects.select_for_update().filter(chain_id=chain).first()
            if row is None:
                raise CommandError(f"chain {chain} is unknown: deploy_stablecoin records it")
            if initial and any(getattr(row, name) is not None for name in OPTIONS):
                self.stdout.write(f"{row} has limits already")
                return
            before = {name: getattr(row, name) for name in given}
            if before != given:
                Chain.objects.filter(chain_id=chain).update(**given)
                audit.record(
                    actor="command:set_limits",
                    action="limits.set",
                    object=f"chain:{chain}",
                    before=_texts(before),
                    after=_texts(given),
                    reason=reason,
                )
        self.stdout.write(f"{row}: {len(given)} limits")


def _texts(limits: dict[str, int | None]) -> dict[str, str | None]:
    """Amounts as text: JSON's numbers do not hold them."""
    return {name: None if units is None else str(units) for name, units in limits.items()}
