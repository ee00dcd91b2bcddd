"""How the services outside were found, by the process that last asked them."""

import time

import structlog
from django.utils import timezone

from chains import registry as adapters
from chains.errors import ChainError, Definitive
from stablecoin.models import Probe

logger = structlog.get_logger(__name__)

KEY_SERVICE = "kms"
COMPLIANCE = "kuro"


def record(name: str, *, error: str = "", ms: float | None = None) -> None:
    """Write down that something was found well, or why not."""
    values = {"well": not error, "error": error[:200], "ms": ms, "at": timezone.now()}
    Probe.objects.update_or_create(name=name, defaults=values)


def check_key_service() -> None:
    """Ask for the key that approves; another one than is configured is an error for people."""
    started = time.monotonic()
    try:
        adapters.approval_signer().check()
    except ChainError as error:
        level = logger.error if isinstance(error, Definitive) else logger.warning
        level("key_service.not_well", error=str(error))
        record(KEY_SERVICE, error=str(error))
    else:
        record(KEY_SERVICE, ms=round(1_000 * (time.monotonic() - started), 1))
