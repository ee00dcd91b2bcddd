import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chains.errors import ChainError
from fairlane.core import reconciling


class Command(BaseCommand):
    help = "Compare the books with the chains: supplies and vaults; exit 1 if they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names", nargs="*", help="Chain ids and mints; everything if none is named."
        )
        parser.add_argument("--json", action="store_true", help="One JSON object per line.")

    def handle(self, names: list[str], json: bool, **options: Any) -> None:
        known = reconciling.everything()
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CommandError(f"not served here: {', '.join(unknown)}")
        wrong = [
            name for name in names or known if not self._agrees(name, known[name], as_json=json)
        ]
        if wrong:
            raise CommandError(f"chain and ledger differ: {', '.join(wrong)}")

    def _agrees(self, name: str, check: Any, *, as_json: bool) -> bool:
        try:
            finding: reconciling.Finding = check(name)
        except ChainError as error:
            raise CommandError(f"{name}: {error}") from None
        if as_json:
            self.stdout.write(json.dumps({"agree": finding.agree, **finding.data}))
        else:
            mark = "agree " if finding.agree else "DIFFER"
            self.stdout.write(f"{finding.name}  {mark}  {finding.text}")
        return finding.agree
