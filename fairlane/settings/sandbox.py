"""One machine with the sandbox around it: plain HTTP, static files straight from their apps."""

from __future__ import annotations

from fairlane.settings.base import *  # noqa: F403
from fairlane.settings.base import env

WHITENOISE_USE_FINDERS = True

env.finish()
