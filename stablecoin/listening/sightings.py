"""What the listener saw of a chain, for people and probes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from django.utils import timezone

from chains.evm.ports import Block, NodeStatus
from stablecoin.models import ChainState


def record(
    chain_id: int, head: Block, final: int, listened: int, providers: Sequence[NodeStatus]
) -> None:
    """Write down that the chain is well and how far it is."""
    values = {
        "head": head.number,
        "head_at": datetime.fromtimestamp(head.timestamp, UTC),
        "final": max(final, 0),
        "listened": listened,
        "base_fee": head.base_fee,
        "providers": [asdict(provider) for provider in providers],
        "error": "",
        "updated_at": timezone.now(),
    }
    ChainState.objects.update_or_create(chain_id=chain_id, defaults=values)


def record_trouble(chain_id: int, error: str) -> None:
    """Write down why the chain cannot be followed."""
    values = {"error": error[:500], "updated_at": timezone.now()}
    ChainState.objects.update_or_create(chain_id=chain_id, defaults=values)
