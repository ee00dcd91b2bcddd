"""One cycle of a relayer: recover what is under way, confirm what is mined, send what is due.

A relayer is a row of work that is always open. Its claim keeps a second process away, every write
makes sure of that claim, and the nonce cursor and unique nonces guard what a claim cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID, uuid5

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from chains import registry as adapters
from chains.errors import ChainError
from chains.evm.fees import Fees, initial
from chains.evm.ports import EvmNode, Observation
from chains.evm.transactions import RelayerKey
from fairlane.core import checkpoints, claims
from fairlane.core.claims import Claim, Step
from stablecoin import registry
from stablecoin.execution import waiting
from stablecoin.models import Relayer, Transaction
from stablecoin.registry import ChainInfo
from stablecoin.relaying import (
    candidates,
    confirming,
    looking,
    nonces,
    recording,
    sending,
    settling,
)
from stablecoin.relaying.offers import Market, Offer, Replace, Resend, offers
from stablecoin.relaying.rows import Open, open_transactions
from stablecoin.relaying.sending import Packet, Signer
from stablecoin.stage_names import RELAY

logger = structlog.get_logger(__name__)

# A relayer with something under way looks this often, an idle one less so; a block takes longer.
BUSY_MS = 250
IDLE_MS = 1_000
_NAMESPACE = UUID("6b1f6a53-8a0e-4c0e-9d3b-0a5a37d1f5c2")

GWEI = 10**9
MILLI = 10**15


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle works with."""

    claim: Claim
    chain: ChainInfo
    signer: Signer
    node: EvmNode

    def holds(self) -> bool:
        """Whether nobody has taken the relayer over; it stays so until the transaction ends."""
        return bool(self.claim.hold([self.signer.relayer_id]))


def open_relayers() -> None:
    """Let every configured chain's relayer have its row of work."""
    for chain in registry.chains().values():
        key = _key(chain.chain_id)
        relayer_id = uuid5(_NAMESPACE, f"{chain.chain_id}:{key.address}")
        Relayer.objects.get_or_create(
            id=relayer_id, defaults={"chain_id": chain.chain_id, "address": key.address}
        )
        claims.open_work([relayer_id], RELAY)


def work(claim: Claim) -> None:
    """One cycle of each relayer of the claim."""
    for relayer in Relayer.objects.filter(id__in=claim.ids).order_by("id"):
        delay_ms = _cycle(claim, relayer)
        claim.hand_over({relayer.id: Step(RELAY, delay_ms)})


def set_aside(claim: Claim) -> None:
    """A relayer is never given up: whoever claims it next begins anew."""
    logger.error("relayer.claimed_in_vain", relayers=[str(i) for i in claim.poisoned])
    claim.part(claim.poisoned).hand_over(
        {relayer_id: Step(RELAY, waiting.FIRST_MS) for relayer_id in claim.poisoned}
    )


def _cycle(claim: Claim, relayer: Relayer) -> int:
    """Returns milliseconds until the next one."""
    chain = registry.chains().get(relayer.chain_id)
    if chain is None or _key(relayer.chain_id).address != relayer.address:
        # Its key is not here any more: there is nothing that could be done with it.
        return waiting.LONGEST_MS
    signer = Signer(relayer.id, chain.chain_id, chain.contract, _key(chain.chain_id))
    cycle = Cycle(claim, chain, signer, adapters.evm(chain.chain_id))
    try:
        busy = _run(cycle)
    except ChainError as error:
        logger.warning("relayer.chain_unreachable", chain_id=chain.chain_id, error=str(error))
        Relayer.objects.filter(id=relayer.id).update(error=str(error)[:500])
        return IDLE_MS
    return BUSY_MS if busy else IDLE_MS


def _run(cycle: Cycle) -> bool:
    """Returns whether anything is under way."""
    under_way = open_transactions(cycle.signer.relayer_id)
    seen = adapters.run(
        cycle.node.observe(
            cycle.signer.key.address, [a.hash for t in under_way if t.waits for a in t.attempts]
        )
    )
    checkpoints.reach("stablecoin.relay.observed")
    _confirm(cycle, under_way, seen)
    _settle(cycle)
    market = _market(seen)
    packets = _offer(cycle, market)
    if waiting.is_open(cycle.chain):
        packets += _fill_gaps(cycle, seen, market)
        packets += _take_new(cycle, market)
    else:
        candidates.put_off(cycle.chain.chain_id)
    checkpoints.reach("stablecoin.relay.stored")
    answers = adapters.run(cycle.node.send([p.raw for p in packets]))
    checkpoints.reach("stablecoin.relay.sent")
    with transaction.atomic():
        if cycle.holds():
            sending.record(packets, answers)
    checkpoints.reach("stablecoin.relay.recorded")
    return bool(under_way or packets)


def _confirm(cycle: Cycle, under_way: Sequence[Open], seen: Observation) -> None:
    """Write down what is mined, what is final, and what is undone."""
    confirmations = settings.STABLECOIN_CONFIRMATIONS
    shown = adapters.run(
        looking.look(
            cycle.node, cycle.signer.key.address, under_way, seen, confirmations=confirmations
        )
    )
    changes = confirming.changes(under_way, shown, confirmations=confirmations)
    checkpoints.reach("stablecoin.relay.before_confirm")
    with transaction.atomic():
        if not cycle.holds():
            return
        recording.record(changes, chain_id=cycle.chain.chain_id)
        _tell_of_low_balance(cycle, seen.balance)
        Relayer.objects.filter(id=cycle.signer.relayer_id).update(
            balance=seen.balance,
            gas_price=seen.head.base_fee + seen.priority_fee,
            error="",
            updated_at=Now(),
        )
    checkpoints.reach("stablecoin.relay.confirmed")


def _settle(cycle: Cycle) -> None:
    """Miss the events that should have come by now."""
    ids = settling.due(cycle.chain.chain_id)
    if not ids:
        return
    with transaction.atomic():
        if cycle.holds():
            settling.look(ids, cycle.chain.chain_id)


def _tell_of_low_balance(cycle: Cycle, balance: int) -> None:
    """Once, when it falls below what people want to know of; probes and pages go on to show it."""
    low = settings.STABLECOIN_LOW_BALANCE_MILLI * MILLI
    before = Relayer.objects.values_list("balance", flat=True).get(id=cycle.signer.relayer_id)
    if balance < low and (before is None or before >= low):
        logger.error("relayer.low_balance", chain_id=cycle.chain.chain_id, balance=str(balance))


def _market(seen: Observation) -> Market:
    cap = settings.STABLECOIN_MAX_FEE_GWEI * GWEI
    block_at = datetime.fromtimestamp(seen.head.timestamp, UTC)
    return Market(seen.head.base_fee, seen.priority_fee, cap, block_at)


def _offer(cycle: Cycle, market: Market) -> list[Packet]:
    """What waits, sent again or with higher fees."""
    patience = timedelta(seconds=settings.STABLECOIN_BUMP_SECONDS)
    under_way = open_transactions(cycle.signer.relayer_id)
    offered = offers(under_way, market, now=datetime.now(UTC), patience=patience)
    if not waiting.is_open(cycle.chain):
        # What a node had may be mined at any time; what none had must not be while people pause.
        offered = [o for o in offered if o.transaction.last.sent_at is not None]
    _tell_of_cap(cycle, offered)
    data = candidates.calls(cycle.chain, _requests_of(offered))
    with transaction.atomic():
        if not offered or not cycle.holds():
            return []
        return sending.store_offers(cycle.signer, offered, data)


def _tell_of_cap(cycle: Cycle, offered: Sequence[Offer]) -> None:
    capped = [o for o in offered if isinstance(o, Resend) and o.capped]
    if capped:
        logger.error("relayer.at_fee_cap", chain_id=cycle.chain.chain_id, count=len(capped))


def _requests_of(offered: Sequence[Offer]) -> list[UUID]:
    return [
        o.transaction.request_id
        for o in offered
        if isinstance(o, Replace) and not o.cancels and o.transaction.request_id
    ]


def _fill_gaps(cycle: Cycle, seen: Observation, market: Market) -> list[Packet]:
    """Move the cursor past nonces used elsewhere, and fill those that no transaction was made for.

    Only nonces that were never given to a transaction are filled: the others' bytes are resent.
    """
    used = nonces.used(cycle.node, cycle.signer, seen.nonce)
    with transaction.atomic():
        if not cycle.holds():
            return []
        relayer = Relayer.objects.select_for_update().get(id=cycle.signer.relayer_id)
        if relayer.next_nonce < used:
            Relayer.objects.filter(id=relayer.id).update(next_nonce=used)
            return []
        gaps = list(islice(nonces.gaps(relayer, seen.nonce), _budget(cycle)))
        if gaps:
            logger.error("relayer.gaps", chain_id=cycle.chain.chain_id, count=len(gaps))
        return sending.store_fillers(cycle.signer, gaps, _fees(market))


def _budget(cycle: Cycle) -> int:
    """How many transactions more may be under way."""
    in_flight = Transaction.objects.filter(
        relayer_id=cycle.signer.relayer_id, state__in=["SIGNED", "BROADCAST"]
    ).count()
    return max(0, settings.STABLECOIN_IN_FLIGHT - in_flight)


def _take_new(cycle: Cycle, market: Market) -> list[Packet]:
    """Transactions for requests that wait for one, as many as may be in flight."""
    budget = _budget(cycle)
    if not budget:
        return []
    waiting_ids = candidates.waiting(cycle.chain.chain_id, budget)
    sorted_out = candidates.sort_out(cycle.chain, cycle.signer.key.address, waiting_ids)
    with transaction.atomic():
        if not cycle.holds():
            return []
        candidates.record(sorted_out)
        return sending.store_new(cycle.signer, sorted_out.ready, _fees(market))


def _fees(market: Market) -> Fees:
    return initial(market.base_fee, market.priority_fee, cap=market.cap)


def _key(chain_id: int) -> RelayerKey:
    return RelayerKey.parse(settings.EVM_CHAINS[chain_id].relayer_key.reveal())
