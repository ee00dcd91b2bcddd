"""One chain's events: fetched from a cursor, taken back by reorganisations, applied when final."""

import asyncio
import time
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import DatabaseError

from chains import registry as adapters
from chains.errors import ChainError
from chains.evm.ports import Block, EvmNode, Log, LogRange, RangeTooLarge
from fairlane.core import checkpoints, switches
from fairlane.core.threads import in_thread
from stablecoin import reconciliation
from stablecoin.listening import applying, cursors, sightings
from stablecoin.listening.cursors import Found, Moved, Position
from stablecoin.listening.standby import pause
from stablecoin.profiles import MalformedLog, Profile
from stablecoin.registry import ChainInfo

logger = structlog.get_logger(__name__)

FIRST_RANGE = 1_000
LARGEST_RANGE = 20_000
# A range that was answered grows by this part: what was refused once is not asked for at once.
GROWTH = 4
IDLE_S = 0.5
TROUBLE_S = 2.0
RECONCILE_S = 5.0
ACTOR = "command:listen_evm"


class DeepReorganisation(Exception):
    """A block that was taken for final is not part of the chain any more."""


class ChainListener:
    """Follows one chain for as long as it runs; a chain out of reach is tried again."""

    def __init__(self, chain: ChainInfo, stopping: asyncio.Event) -> None:
        self._chain = chain
        self._node: EvmNode = adapters.evm(chain.chain_id)
        self._stopping = stopping
        self._range = FIRST_RANGE
        self._reconciled_at = float("-inf")

    async def run(self) -> None:
        """Round after round, until it is time to stop."""
        while not self._stopping.is_set():
            try:
                behind = await self.round()
                wait = 0.0 if behind else IDLE_S
            except Moved:
                wait = IDLE_S
            except (ChainError, DatabaseError) as error:
                await self._tell(error)
                wait = TROUBLE_S
            except DeepReorganisation as error:
                await self._stop_the_chain(str(error))
                wait = 10 * TROUBLE_S
            await pause(wait, self._stopping)

    async def round(self) -> bool:
        """Fetch one range, apply what is final; returns whether there is more to fetch.

        Raises:
            Moved: another listener, or the chain, has changed where to go on.
            DeepReorganisation: what was applied is not part of the chain any more.
            ChainError: the chain is out of reach.
        """
        head = await self._node.head()
        start = await in_thread(cursors.position)(self._chain)
        if head.number < start.number:
            # The provider is late, or on a fork that has not come so far: nothing to tell yet.
            return False
        start = await self._on_the_chain(start)
        final = head.number - settings.STABLECOIN_CONFIRMATIONS
        end = await self._fetch(start, head, final)
        await self._apply(end, final)
        await in_thread(sightings.record)(
            self._chain.chain_id, head, final, end.number, self._node.providers()
        )
        return end.number < head.number

    async def _on_the_chain(self, start: Position) -> Position:
        """The position itself, or the last one before a reorganisation.

        Raises:
            DeepReorganisation: it has undone what was applied.
        """
        if not start.hash:
            return start
        (there,) = await self._node.blocks([start.number])
        if there is None or there.hash == start.hash:
            return start
        common = await self._common(start)
        logger.warning(
            "listener.rewound",
            chain_id=self._chain.chain_id,
            blocks=start.number - common.number,
            to=common.number,
        )
        await in_thread(cursors.rewind)(self._chain.chain_id, start, common.number, common.hash)
        checkpoints.reach("stablecoin.listen.rewound")
        return common

    async def _common(self, start: Position) -> Position:
        """The last block that was passed and is still part of the chain.

        Raises:
            DeepReorganisation: it is below what was applied.
        """
        known = await in_thread(cursors.known_blocks)(self._chain.chain_id)
        numbers = sorted((n for n in known if n < start.number), reverse=True)
        blocks = await self._node.blocks(numbers)
        common = next((b for b in blocks if b is not None and b.hash == known[b.number]), None)
        if common is not None and common.number >= start.applied:
            return Position(common.number, common.hash, start.applied)
        if start.applied <= cursors.before(self._chain):
            return Position(start.applied, "", start.applied)
        raise DeepReorganisation(
            f"block {start.applied}, taken for final, is not part of the chain any more"
        )

    async def _fetch(self, start: Position, head: Block, final: int) -> Position:
        """Store the events of the next range; returns where the cursor is then."""
        if start.number >= head.number:
            return start
        last = min(head.number, start.number + self._range)
        if start.number < final:
            # Below the head's neighbourhood ranges are as large as providers allow; a round ends
            # at the last final block, so that there is one to come back to.
            last = min(last, final)
        found = await self._logs(start, last)
        if found is None:
            return start
        if start.hash and found.parent_hash != start.hash:
            # It has turned to another fork since it was looked at.
            raise Moved
        checkpoints.reach("stablecoin.listen.fetched")
        end, events = found.end, _found(found.logs, self._chain.profile, self._chain.chain_id)
        await in_thread(cursors.advance)(
            self._chain.chain_id, start, end, events, keep_from=start.applied
        )
        checkpoints.reach("stablecoin.listen.stored")
        return Position(end.number, end.hash, start.applied)

    async def _logs(self, start: Position, last: int) -> LogRange | None:
        """The logs after ``start`` up to a block; None where a provider wants to be asked for fewer
        blocks. Whoever cannot answer at all may be able to answer for fewer too.

        Raises:
            ChainError: nobody answered, or not for a single block.
        """
        asked = last - start.number
        try:
            found = await self._node.logs(
                self._chain.contract, self._chain.profile.topics, start.number + 1, last
            )
        except RangeTooLarge:
            self._range = max(1, asked // 2)
            if asked == 1:
                raise
            return None
        except ChainError:
            self._range = max(1, asked // 2)
            raise
        if asked == self._range:
            self._range = min(LARGEST_RANGE, self._range + max(1, self._range // GROWTH))
        return found

    async def _apply(self, end: Position, final: int) -> None:
        """Apply what is final, up to a block that was passed and is still part of the chain."""
        known = await in_thread(cursors.known_blocks)(self._chain.chain_id)
        passed = [n for n in known if end.applied < n <= min(final, end.number)]
        if not passed:
            return
        until = max(passed)
        (there,) = await self._node.blocks([until])
        if there is None or there.hash != known[until]:
            return
        checkpoints.reach("stablecoin.listen.before_apply")
        await in_thread(applying.apply)(self._chain, end.applied, until)
        checkpoints.reach("stablecoin.listen.applied")
        if time.monotonic() - self._reconciled_at > RECONCILE_S:
            self._reconciled_at = time.monotonic()
            await reconciliation.check(self._chain, self._node, actor=ACTOR)

    async def _tell(self, error: Exception) -> None:
        text = str(error) if isinstance(error, ChainError) else type(error).__name__
        logger.warning("listener.trouble", chain_id=self._chain.chain_id, error=text)
        if isinstance(error, ChainError):
            try:
                await in_thread(sightings.record_trouble)(self._chain.chain_id, text)
            except DatabaseError as lost:
                logger.warning("listener.database_lost", error=type(lost).__name__)

    async def _stop_the_chain(self, reason: str) -> None:
        """Nothing that was paid out on a block can be taken back here: people have to look."""
        logger.error("listener.deep_reorganisation", chain_id=self._chain.chain_id, reason=reason)
        await in_thread(sightings.record_trouble)(self._chain.chain_id, reason)
        if await switches.ais_on(self._chain.switch):
            await in_thread(switches.set_switch)(
                name=self._chain.switch, on=False, by=ACTOR, reason=reason[:200]
            )


def _found(logs: Sequence[Log], profile: Profile, chain_id: int) -> list[Found]:
    """What the logs tell. One that cannot be read is told of, and the reconciliation misses it."""
    found = []
    for log in logs:
        try:
            event = profile.decode(log)
        except MalformedLog as error:
            logger.error("listener.log_unreadable", chain_id=chain_id, error=str(error))
            continue
        if event is not None:
            found.append(
                Found(
                    log.transaction_hash,
                    log.index,
                    log.block_number,
                    log.block_hash,
                    event.kind,
                    # Text that the database takes, whatever the chain holds.
                    event.request_id.replace("\x00", "\ufffd")[:128],
                    event.account,
                    event.amount,
                )
            )
    return found
