"""Production: secure cookies, HTTPS only, and a refusal of every unsafe value."""

from __future__ import annotations

from fairlane.settings import base
from fairlane.settings.base import *  # noqa: F403
from fairlane.settings.base import (
    ALLOWED_HOSTS,
    BATCHES_KEYS_DIR,
    DEBUG,
    EVM_CHAINS,
    RFQ_MAKERS,
    SECRET_KEY,
    SOLANA_RPC_URL,
    THROTTLE_ADDRESS,
    THROTTLE_KEY,
    THROTTLE_SIGN_IN,
    TRUSTED_PROXIES,
    WALLET_KEYS_DIR,
    env,
)
from fairlane.settings.env import is_plain_remote
from fairlane.settings.published import PUBLISHED_KEYS
from fairlane.settings.stablecoin import refuse_unsafe

_KNOWN_KEYS = ("django-insecure", "only-tests", "sandbox", "change")

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "fairlane.core.static_files.Storage"},
}

# The __Host- prefix makes browsers refuse the cookie from a subdomain or over plain HTTP.
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
# Probes and scrapes come from inside, by plain HTTP; a key over plain HTTP is refused there.
SECURE_REDIRECT_EXEMPT = [r"^(health|metrics)(/|$)"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

env.refuse(DEBUG, "DEBUG must be off")
env.refuse(
    len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10,
    "SECRET_KEY must be at least 50 random characters",
)
env.refuse(SECRET_KEY.startswith(_KNOWN_KEYS), "SECRET_KEY is a published one")
env.refuse(
    any(host == "*" or host.startswith(".") for host in ALLOWED_HOSTS),
    "ALLOWED_HOSTS must name each host, without wildcards",
)
env.refuse(
    set(ALLOWED_HOSTS) <= {"127.0.0.1", "localhost", "[::1]"},
    "ALLOWED_HOSTS must name the public host",
)
refuse_unsafe(env, EVM_CHAINS, PUBLISHED_KEYS)
if EVM_CHAINS:
    env.refuse(is_plain_remote(base.KURO_REST_URL), "KURO_REST_URL must use https")
    env.refuse(is_plain_remote(base.KURO_WEBSOCKET_URL), "KURO_WEBSOCKET_URL must use wss")
    env.refuse(not base.KMS_ADDRESS, "KMS_ADDRESS is not set: what another key signs would be sent")
    _endpoint = env.text("AWS_ENDPOINT_URL_KMS", default="")
    env.refuse(is_plain_remote(_endpoint), "AWS_ENDPOINT_URL_KMS must use https")
env.refuse(is_plain_remote(SOLANA_RPC_URL), "SOLANA_RPC_URL must use https")
env.refuse(is_plain_remote(base.SOLANA_WEBSOCKET_URL), "SOLANA_WEBSOCKET_URL must use wss")
env.refuse(is_plain_remote(base.RAIKU_URL), "RAIKU_URL must use https")
for _name, _url in RFQ_MAKERS.items():
    env.refuse(is_plain_remote(_url), f"RFQ_MAKERS: the URL of {_name} must use https")
for _setting, _rate in (
    ("THROTTLE_KEY", THROTTLE_KEY),
    ("THROTTLE_ADDRESS", THROTTLE_ADDRESS),
    ("THROTTLE_SIGN_IN", THROTTLE_SIGN_IN),
):
    env.refuse(_rate is None, f"{_setting} must not be off")
for _setting, _folder in (
    ("WALLET_KEYS_DIR", WALLET_KEYS_DIR),
    ("BATCHES_KEYS_DIR", BATCHES_KEYS_DIR),
):
    if _folder is None:
        continue
    env.refuse(".sandbox" in _folder.parts, f"{_setting} holds the sandbox's keys")
    if _folder.is_dir():
        env.refuse(
            bool(_folder.stat().st_mode & 0o077),
            f"{_setting} must be open to its owner only (mode 0700)",
        )
    else:
        env.refuse(True, f"{_setting} is no folder")

env.finish()
