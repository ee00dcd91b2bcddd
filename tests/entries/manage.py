"""`python -m tests.entries.manage`: manage.py."""

import sys

from django.core.management import execute_from_command_line

from tests import interruption

interruption.install()
execute_from_command_line(sys.argv)
