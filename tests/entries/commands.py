"""`python -m tests.entries.commands`: many management commands in one process.

Reads a JSON array of argument lists, and writes a JSON array of what each of them printed.
"""

import io
import json
import sys

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    printed = []
    for arguments in json.load(sys.stdin):
        output = io.StringIO()
        call_command(*arguments, stdout=output)
        printed.append(output.getvalue().strip())
    json.dump(printed, sys.stdout)


if __name__ == "__main__":
    main()
