from typing import Any

from django.core.management.base import BaseCommand

from fairlane.core import schedule


class Command(BaseCommand):
    help = "Create the periodic tasks that are missing; changes made in the admin are kept."

    def handle(self, **options: Any) -> None:
        for name in schedule.sync():
            self.stdout.write(name)
