"""The test suite. Stand-ins serve the commands that need settings but no service."""

from __future__ import annotations

import os

_STAND_INS = {
    "SECRET_KEY": "only-tests-are-signed-with-this-key-and-it-guards-nothing",
    "DATABASE_URL": "postgresql://postgres@127.0.0.1:5432/fairlane",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SOLANA_RPC_URL": "http://127.0.0.1:8899",
    "RFQ_MAKERS": "raydium=http://127.0.0.1:9101,meteora=http://127.0.0.1:9102",
    "WALLET_KEYS_DIR": "wallets",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "WARNING",
}
for _name, _value in _STAND_INS.items():
    os.environ.setdefault(_name, _value)

from fairlane.settings.base import *  # noqa: E402, F403
from fairlane.settings.base import ALLOWED_HOSTS, env  # noqa: E402

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True

env.finish()
