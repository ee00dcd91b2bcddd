"""Whether the chain and the ledger agree: at the last block that both sides tell of."""

from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.utils import timezone

from chains.errors import ChainError
from chains.evm.ports import Call, EvmNode, Reverted
from fairlane.core import switches
from fairlane.core.threads import in_thread
from stablecoin import ledger
from stablecoin.models import Account, ListenerCursor, Reconciliation
from stablecoin.profiles.base import SUPPLY_CALL, MalformedLog, decode_number
from stablecoin.registry import ChainInfo

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides at one block, in base units; `locked_on_chain` is None where none is kept."""

    block_number: int
    supply_on_chain: int
    supply_in_ledger: int
    locked_on_chain: int | None
    locked_in_ledger: int

    @property
    def agree(self) -> bool:
        return self.supply_on_chain == self.supply_in_ledger and self.locked_on_chain in (
            None,
            self.locked_in_ledger,
        )

    def __str__(self) -> str:
        return (
            f"block {self.block_number}: supply {self.supply_on_chain} on chain,"
            f" {self.supply_in_ledger} in the ledger; locked {self.locked_on_chain} on chain,"
            f" {self.locked_in_ledger} in the ledger"
        )


async def compare(chain: ChainInfo, node: EvmNode) -> Sides | None:
    """Both sides at the last applied block; None where the chain keeps no state of it any more.

    Raises:
        Transient: the chain is out of reach.
    """
    block, balances = await in_thread(_ledger)(chain.chain_id)
    calls = [Call(chain.contract, SUPPLY_CALL)]
    locked_call = chain.profile.locked_call()
    if locked_call is not None:
        calls.append(Call(chain.contract, locked_call))
    answers = await node.call(calls, block)
    try:
        numbers = [decode_number(a) for a in answers if not isinstance(a, Reverted)]
    except MalformedLog:
        return None
    if len(numbers) < len(calls):
        return None
    return Sides(
        block_number=block,
        supply_on_chain=numbers[0],
        supply_in_ledger=-balances[Account.ISSUED],
        locked_on_chain=numbers[1] if len(numbers) > 1 else None,
        locked_in_ledger=balances[Account.LOCKED],
    )


async def check(chain: ChainInfo, node: EvmNode, *, actor: str) -> Sides | None:
    """Compare, write it down, and pause the chain where a second look differs too.

    Nothing here lets a chain go on again: people do, when they know why it differed.
    """
    try:
        sides = await compare(chain, node)
        if sides is not None and not sides.agree:
            sides = await compare(chain, node)
    except ChainError as error:
        logger.warning("reconcile.unread", chain_id=chain.chain_id, error=str(error))
        return None
    if sides is not None:
        await in_thread(_record)(chain, sides, actor)
    return sides


def _ledger(chain_id: int) -> tuple[int, dict[str, int]]:
    """The applied block and the balances at it, of one moment."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        applied = ListenerCursor.objects.values_list("applied", flat=True).get(chain_id=chain_id)
        return applied, ledger.balances(chain_id)


def _record(chain: ChainInfo, sides: Sides, actor: str) -> None:
    with transaction.atomic():
        before = Reconciliation.objects.filter(chain_id=chain.chain_id).first()
        since = before.differs_since if before else None
        if not sides.agree and since is None:
            since = timezone.now()
            logger.error("stablecoin.difference", chain_id=chain.chain_id, sides=str(sides))
            switches.set_switch(name=chain.switch, on=False, by=actor, reason=str(sides)[:200])
        values = {
            "block_number": sides.block_number,
            "supply_on_chain": sides.supply_on_chain,
            "supply_in_ledger": sides.supply_in_ledger,
            "locked_on_chain": sides.locked_on_chain,
            "locked_in_ledger": sides.locked_in_ledger,
            "differs_since": None if sides.agree else since,
            "at": timezone.now(),
        }
        Reconciliation.objects.update_or_create(chain_id=chain.chain_id, defaults=values)
