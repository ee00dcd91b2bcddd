"""How every chain is: supply, caps, health; a few queries, however many requests are stored."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count

from fairlane.core import switches
from stablecoin import registry
from stablecoin.execution.waiting import EVERYTHING
from stablecoin.models import (
    Chain,
    ChainState,
    LedgerBalance,
    Probe,
    Reconciliation,
    Relayer,
    Request,
    Transaction,
    Usage,
)
from stablecoin.usage import ALL

MILLI = 10**15


def read() -> dict[str, Any]:
    """What the page shows beside the requests. Amounts are base units, fees and balances wei."""
    today = datetime.now(UTC).date()
    chains = Chain.objects.filter(chain_id__in=settings.EVM_CHAINS)
    known = _Known(today)
    return {
        "at": datetime.now(UTC).isoformat(),
        "paused": not switches.is_on(EVERYTHING),
        "services": {probe.name: _probe(probe) for probe in Probe.objects.all()},
        "chains": [_chain(chain, known) for chain in chains],
    }


class _Known:
    """What is known of all chains, by chain id."""

    def __init__(self, today: date) -> None:
        self.states = {s.chain_id: s for s in ChainState.objects.all()}
        self.books = {r.chain_id: r for r in Reconciliation.objects.all()}
        self.relayers = {r.chain_id: r for r in Relayer.objects.order_by("updated_at")}
        self.ledger: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for balance in LedgerBalance.objects.all():
            self.ledger[balance.chain_id][balance.account] = int(balance.amount)
        self.used: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for usage in Usage.objects.filter(day=today, wallet=ALL):
            self.used[usage.chain_id][usage.kind] = int(usage.amount)
        self.open: defaultdict[int, dict[str, int]] = defaultdict(dict)
        counted = Request.objects.filter(ended=False).order_by()
        rows = counted.values_list("chain_id", "status").annotate(Count("id"))
        for chain_id, status, count in rows:
            self.open[chain_id][status] = count
        waiting = Transaction.objects.filter(state__in=["SIGNED", "BROADCAST"]).order_by()
        self.in_flight = dict(waiting.values_list("relayer__chain_id").annotate(Count("id")))


def _chain(chain: Chain, known: _Known) -> dict[str, Any]:
    id = chain.chain_id
    return {
        "chainId": id,
        "name": chain.name,
        "profile": chain.profile,
        "contract": chain.contract or None,
        "paused": not switches.is_on(registry.chain_switch(id)),
        "open": known.open[id],
        "supply": _supply(known.ledger[id], known.books.get(id)),
        "caps": {
            "perRequest": _text(chain.per_request_cap),
            "perAddressDaily": _text(chain.per_address_daily_cap),
            "daily": _text(chain.daily_cap),
            "fourEyesAbove": _text(chain.four_eyes_above),
            "usedToday": {kind: str(known.used[id].get(kind, 0)) for kind in ("mint", "redeem")},
        },
        "health": _health(known.states.get(id)),
        "relayer": _relayer(known.relayers.get(id), known.in_flight.get(id, 0)),
    }


def _supply(ledger: Mapping[str, int], books: Reconciliation | None) -> dict[str, Any]:
    """The ledger's own figures, and both sides as they were compared last."""
    return {
        "issued": str(-ledger.get("issued", 0)),
        "circulating": str(ledger.get("circulating", 0)),
        "locked": str(ledger.get("locked", 0)),
        "compared": books
        and {
            "agrees": books.differs_since is None,
            "blockNumber": books.block_number,
            "at": books.at.isoformat(),
            "supplyOnChain": str(books.supply_on_chain),
            "supplyInLedger": str(books.supply_in_ledger),
            "lockedOnChain": _text(books.locked_on_chain),
            "lockedInLedger": str(books.locked_in_ledger),
        },
    }


def _health(state: ChainState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    in_use = next((p for p in state.providers if p["in_use"]), None)
    return {
        "head": state.head,
        "headAt": state.head_at and state.head_at.isoformat(),
        "final": state.final,
        "lagBlocks": max(state.head - state.listened, 0),
        "baseFee": str(state.base_fee),
        "error": state.error or None,
        "rpc": in_use and in_use["name"],
        "providers": [
            {key: p[key] for key in ("name", "height", "healthy", "error")} for p in state.providers
        ],
        "seenAt": state.updated_at.isoformat(),
    }


def _relayer(relayer: Relayer | None, in_flight: int) -> dict[str, Any] | None:
    if relayer is None:
        return None
    low = settings.STABLECOIN_LOW_BALANCE_MILLI * MILLI
    return {
        "address": relayer.address,
        "balance": _text(relayer.balance),
        "low": relayer.balance is not None and relayer.balance < low,
        "gasPrice": _text(relayer.gas_price),
        "nextNonce": relayer.next_nonce,
        "inFlight": in_flight,
        "error": relayer.error or None,
        "updatedAt": relayer.updated_at.isoformat(),
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "well": probe.well,
        "error": probe.error or None,
        "ms": probe.ms,
        "at": probe.at.isoformat(),
    }


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
