"""What the tables tell about chains, relayers and services outside: for /metrics and /health."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Count

from fairlane.core import health, metrics
from fairlane.core.gauges import age
from stablecoin import probes
from stablecoin.models import (
    ChainState,
    LedgerBalance,
    Probe,
    Reconciliation,
    Relayer,
    Request,
    Transaction,
)

# The listener looks at every chain several times a second, and tells of what it cannot reach.
SILENT_SECONDS = 30
# The key service is asked every ten seconds, the compliance service at least every thirty.
PROBE_SECONDS = {probes.KEY_SERVICE: 60, probes.COMPLIANCE: 120}


@metrics.gauge("fairlane_stablecoin_open", "Requests that have not ended", ["type", "status"])
def open_requests() -> metrics.Samples:
    counted = Request.objects.filter(ended=False).order_by().values_list("kind", "status")
    return {(kind, status): float(n) for kind, status, n in counted.annotate(Count("id"))}


@metrics.gauge("fairlane_chain_head", "The newest block the listener has seen", ["chain"])
def head() -> metrics.Samples:
    return {(str(state.chain_id),): float(state.head) for state in ChainState.objects.all()}


@metrics.gauge("fairlane_chain_lag_blocks", "Blocks the listener has not stored yet", ["chain"])
def lag() -> metrics.Samples:
    states = ChainState.objects.all()
    return {(str(state.chain_id),): float(state.head - state.listened) for state in states}


@metrics.gauge("fairlane_chain_seen_seconds", "Time since the listener saw a chain", ["chain"])
def seen() -> metrics.Samples:
    return {(str(state.chain_id),): age(state.updated_at) for state in ChainState.objects.all()}


@metrics.gauge("fairlane_relayer_balance_wei", "A gas wallet's balance", ["chain", "relayer"])
def relayer_balance() -> metrics.Samples:
    relayers = Relayer.objects.exclude(balance=None)
    return {(str(r.chain_id), r.address): float(r.balance or 0) for r in relayers}


@metrics.gauge("fairlane_relayer_in_flight", "Transactions that wait for a block", ["chain"])
def in_flight() -> metrics.Samples:
    waiting = Transaction.objects.filter(state__in=["SIGNED", "BROADCAST"]).order_by()
    counted = waiting.values_list("relayer__chain_id").annotate(Count("id"))
    return {(str(chain_id),): float(n) for chain_id, n in counted}


@metrics.gauge("fairlane_ledger_balance", "Base units of an account", ["chain", "account"])
def balances() -> metrics.Samples:
    rows = LedgerBalance.objects.all()
    return {(str(row.chain_id), row.account): float(row.amount) for row in rows}


@metrics.gauge("fairlane_reconciliation_differs", "Whether chain and ledger differ", ["chain"])
def differs() -> metrics.Samples:
    rows = Reconciliation.objects.all()
    return {(str(row.chain_id),): float(row.differs_since is not None) for row in rows}


@metrics.gauge("fairlane_service_up", "Whether a service outside was found well", ["service"])
def services() -> metrics.Samples:
    return {(probe.name,): float(probe.well) for probe in Probe.objects.all()}


def register_parts() -> None:
    """Let the health overview tell of every chain and service."""
    for name, patience in PROBE_SECONDS.items():
        health.part(name)(partial(_probe, name, patience))
    for chain_id in settings.EVM_CHAINS:
        health.part(f"chains/{chain_id}")(partial(_chain, chain_id))


def _probe(name: str, patience: float) -> Mapping[str, Any]:
    """A service outside was found well not long ago."""
    probe = Probe.objects.filter(name=name).first()
    if probe is not None and not probe.well:
        raise health.Failing(probe.error)
    seconds = age(probe.at if probe else None)
    if seconds > patience:
        raise health.Failing(f"nobody has asked it for {seconds:.0f} s")
    return {"askedSecondsAgo": round(seconds, 1), "answeredMs": probe.ms if probe else None}


def _chain(chain_id: int) -> Mapping[str, Any]:
    """The listener follows the chain, and its books agree with it."""
    state = ChainState.objects.filter(chain_id=chain_id).first()
    if state is not None and state.error:
        raise health.Failing(state.error)
    seconds = age(state.updated_at if state else None)
    if seconds > SILENT_SECONDS:
        raise health.Failing(f"nobody has looked at it for {seconds:.0f} s")
    if Reconciliation.objects.filter(chain_id=chain_id).exclude(differs_since=None).exists():
        raise health.Failing("chain and ledger differ")
    if state is None:
        return {}
    in_use = [provider["name"] for provider in state.providers if provider["in_use"]]
    return {
        "height": state.head,
        "final": state.final,
        "lagBlocks": state.head - state.listened,
        "provider": in_use[0] if in_use else None,
    }
