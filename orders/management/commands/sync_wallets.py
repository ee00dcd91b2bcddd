from typing import Any

from django.core.management.base import BaseCommand

from chains import registry
from orders.models import Wallet


class Command(BaseCommand):
    help = "Register the wallets whose keys are in WALLET_KEYS_DIR, so that orders may name them."

    def handle(self, **options: Any) -> None:
        addresses = sorted(registry.wallet_keys().addresses())
        Wallet.objects.bulk_create(
            [Wallet(address=address) for address in addresses], ignore_conflicts=True
        )
        self.stdout.write(f"{len(addresses)} wallets")
