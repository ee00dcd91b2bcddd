"""Chains as a process knows them: settings, the database's row, and the contract's profile."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from django.conf import settings

from stablecoin.models import Chain
from stablecoin.policies import Limits
from stablecoin.profiles import Profile, profile

logger = structlog.get_logger(__name__)

# How late a process learns of a limit or a deployment.
TTL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ChainInfo:
    """A chain that is served; see ``stablecoin.models.Chain``."""

    chain_id: int
    name: str
    profile: Profile
    contract: str
    kyc_registry: str
    deployed_block: int
    limits: Limits

    @property
    def switch(self) -> str:
        """The switch that pauses this chain."""
        return chain_switch(self.chain_id)


def chain_switch(chain_id: int) -> str:
    return f"stablecoin.chain.{chain_id}"


_lock = threading.Lock()
_known: dict[int, ChainInfo] = {}
_until = 0.0


def chains() -> dict[int, ChainInfo]:
    """Every configured chain with a contract, by id; at most ``TTL_SECONDS`` old."""
    global _known, _until
    if time.monotonic() >= _until:
        with _lock:
            if time.monotonic() >= _until:
                _known = _load()
                _until = time.monotonic() + TTL_SECONDS
    return _known


def forget() -> None:
    """Read anew at the next use, in this process."""
    global _until
    _until = 0.0


def _load() -> dict[int, ChainInfo]:
    rows = Chain.objects.filter(chain_id__in=settings.EVM_CHAINS).exclude(contract="")
    return {row.chain_id: _info(row) for row in rows if _is_configured(row)}


def _is_configured(row: Chain) -> bool:
    """Whether the environment means the same contract; which of two is right is for people."""
    configured = settings.EVM_CHAINS[row.chain_id]
    same = configured.contract.lower() in ("", row.contract.lower())
    if not same or configured.profile != row.profile:
        logger.error("chain.configured_differently", chain_id=row.chain_id)
        return False
    return True


def _info(row: Chain) -> ChainInfo:
    return ChainInfo(
        chain_id=row.chain_id,
        name=row.name,
        profile=profile(row.profile),
        contract=row.contract,
        kyc_registry=row.kyc_registry,
        deployed_block=row.deployed_block,
        limits=Limits(
            per_request=row.per_request_cap,
            per_address_daily=row.per_address_daily_cap,
            daily=row.daily_cap,
            four_eyes_above=row.four_eyes_above,
            allow_listed_only=row.allow_listed_only,
        ),
    )
