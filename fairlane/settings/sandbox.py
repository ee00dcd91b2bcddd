"""One machine with the sandbox around it: plain HTTP, static files straight from their apps."""

from __future__ import annotations

from pathlib import Path

import environ

# What a running sandbox says of itself, so that commands by hand reach the same database and node.
_RUNNING = Path(__file__).resolve().parents[2] / ".sandbox" / "environment"
if _RUNNING.is_file():
    environ.Env.read_env(_RUNNING)

from fairlane.settings.base import *  # noqa: E402, F403
from fairlane.settings.base import env  # noqa: E402

WHITENOISE_USE_FINDERS = True

env.finish()
