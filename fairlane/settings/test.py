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
    "STABLECOIN_CHAINS": "5920,5921,5922,5923,5924",
    "KMS_KEY_ID": "tests",
    "AWS_REGION": "us-east-1",
    "KURO_WEBSOCKET_URL": "ws://127.0.0.1:9201/ws",
    "KURO_REST_URL": "http://127.0.0.1:9201",
    "BATCHES_KEYS_DIR": "batch-keys",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "WARNING",
}
for _chain in ("5920", "5921", "5922", "5923", "5924"):
    _STAND_INS[f"KADENA_EVM_CHAIN_{_chain}_RPC"] = f"http://127.0.0.1:9202/{_chain}/a"
    # The key of a test that guards nothing.
    _STAND_INS[f"RELAYER_PRIVATE_KEY_{_chain}"] = f"{int(_chain):064x}"
for _name, _value in _STAND_INS.items():
    os.environ.setdefault(_name, _value)

from fairlane.settings.base import *  # noqa: E402, F403
from fairlane.settings.base import ALLOWED_HOSTS, env  # noqa: E402

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True

env.finish()
