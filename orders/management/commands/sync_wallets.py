from typing import Any

from django.core.management.base import BaseCommand

from chains import registry
from orders.models import Wallet


class Command(BaseCommand):
    help = "Register the wallets whose keys are in WALLET_KEYS_DIR, so that orders may name them."

    def handle(self, **options: Any) -> None:
        labels = registry.wallet_keys().labels()
        # A label that an operator changed in the admin stays.
        Wallet.objects.bulk_create(
            [Wallet(address=address, label=label[:64]) for address, label in labels.items()],
            ignore_conflicts=True,
        )
        self.stdout.write(f"{len(labels)} wallets")
