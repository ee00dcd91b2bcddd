"""`celery -A tests.entries.worker worker`."""

from fairlane.celery import app
from tests import interruption

__all__ = ["app"]

interruption.install()
