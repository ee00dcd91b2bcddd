"""Whether the vault holds what the ledger says, mint by mint.

What it lacks is somebody's money, and pauses the mint's markets. What it has beyond the ledger is
nobody's: anybody can send tokens to it, so that is shown and stops nothing.
"""

from dataclasses import dataclass, replace

import structlog
from django.db import transaction
from django.db.models import Max, Q, Sum
from django.utils import timezone

from batches import ledger, registry
from batches.models import Account, Direction, Market, Packet, Transfer, VaultCheck
from chains import registry as adapters
from chains.errors import Behind, Transient
from fairlane.core import reconciling, switches
from fairlane.core.reconciling import Books, Finding

logger = structlog.get_logger(__name__)

# Money moves while both sides are read: they are read again until nothing did.
LOOKS = 20
# The last transaction to land is among so many of the newest: one lands within a minute, or never.
_NEWEST = 1_000


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a mint, in atoms.

    Attributes:
        incoming, outgoing: transfers that may have happened and are not recorded yet.
        known: the difference as it was known before, whose bounds they may have blurred.
    """

    mint: str
    slot: int
    on_chain: int
    in_ledger: int
    incoming: int
    outgoing: int
    known: int = 0

    @property
    def difference(self) -> int:
        """What the vault is known to hold beyond the ledger; negative where it lacks something.

        Any of what is on its way may have happened, so this moment tells bounds: within them what
        was known before still holds.
        """
        apparent = self.on_chain - self.in_ledger
        return min(max(self.known, apparent - self.incoming), apparent + self.outgoing)

    @property
    def agree(self) -> bool:
        """Whether the vault lacks nothing."""
        return self.difference >= 0

    @property
    def is_worse(self) -> bool:
        """Whether it lacks more than it was known to."""
        return self.difference < min(0, self.known)

    def __str__(self) -> str:
        moving = self.incoming or self.outgoing
        way = f", {self.incoming} in and {self.outgoing} out on their way" if moving else ""
        sign = "lacks" if self.difference < 0 else "has beyond it"
        beyond = f", which {sign} {abs(self.difference)}" if self.difference else ""
        return (
            f"slot {self.slot}: {self.in_ledger} in the ledger, {self.on_chain} in the vault"
            f"{beyond}{way}"
        )


def mints() -> list[str]:
    """Every mint that a market trades."""
    pairs = Market.objects.values_list("base_mint", "quote_mint")
    return sorted({mint for pair in pairs for mint in pair})


def check(mint: str, *, actor: str) -> Sides:
    """Compare, write it down, and pause the mint's markets where the vault lacks more than before.

    Nothing here lets a market go on again: people do, when they know why it differed.

    Raises:
        ChainError: the node does not answer, or money moved at every look.
    """
    sides = compare(mint)
    return _record(sides, actor)


def compare(mint: str) -> Sides:
    """Both sides of one moment.

    The node may be one of several behind an address. One that has not reached what the ledger knows
    of would show money as lacking that has arrived.

    Raises:
        ChainError: the node does not answer, or money moved or it was behind at every look.
    """
    market = Market.objects.filter(Q(base_mint=mint) | Q(quote_mint=mint)).order_by("id")[0]
    vault, node = registry.vault(market, mint), adapters.solana()
    for _ in range(LOOKS):
        before = _books(mint)
        slot = max(adapters.run(node.slot("confirmed")), _last_landed())
        try:
            (account,) = adapters.run(node.token_accounts([vault], not_before_slot=slot))
        except Behind:
            continue
        if _books(mint) == before:
            in_ledger, incoming, outgoing = before
            on_chain = account.amount if account else 0
            return Sides(mint, slot, on_chain, in_ledger, incoming, outgoing)
    raise Transient("money moved, or the node was behind, at every look")


def _last_landed() -> int:
    """The slot up to which the ledger knows what has happened."""
    newest = Packet.objects.order_by("-id").values("slot")[:_NEWEST]
    return newest.aggregate(last=Max("slot"))["last"] or 0


def _books(mint: str) -> tuple[int, int, int]:
    """What the ledger says, and what may have come and gone beyond it."""
    with transaction.atomic():
        # Of what a person has to look at, only what was sent may have happened.
        unknown = Q(status="PACKED") | Q(status="REVIEW", packet__status="REVIEW")
        moving = Transfer.objects.filter(unknown, mint=mint)
        sums = dict(moving.order_by().values_list("direction").annotate(Sum("amount")))
        return (
            ledger.balances(mint)[Account.VAULT],
            int(sums.get(Direction.PULL, 0)),
            int(sums.get(Direction.PAY, 0)),
        )


def _record(sides: Sides, actor: str) -> Sides:
    """The sides, with what was known before."""
    with transaction.atomic():
        before = VaultCheck.objects.select_for_update().filter(mint=sides.mint).first()
        if before is not None:
            sides = replace(sides, known=int(before.difference))
        if sides.is_worse:
            logger.error("batches.deficit", mint=sides.mint, sides=str(sides))
            for market in Market.objects.filter(Q(base_mint=sides.mint) | Q(quote_mint=sides.mint)):
                switches.set_switch(name=market.switch, on=False, by=actor, reason=str(sides)[:200])
        since = before.differs_since if before else None
        VaultCheck.objects.update_or_create(
            mint=sides.mint,
            defaults={
                "on_chain": sides.on_chain,
                "in_ledger": sides.in_ledger,
                "difference": sides.difference,
                "slot": sides.slot,
                "differs_since": None if sides.agree else since or timezone.now(),
                "at": timezone.now(),
            },
        )
    return sides


def register() -> None:
    """Let the command compare every vault."""
    reconciling.register(Books(mints, _finding))


def _finding(mint: str) -> Finding:
    sides = check(mint, actor="command:reconcile")
    told = {
        "mint": mint,
        "slot": sides.slot,
        "onChain": str(sides.on_chain),
        "inLedger": str(sides.in_ledger),
        "difference": str(sides.difference),
        "incoming": str(sides.incoming),
        "outgoing": str(sides.outgoing),
    }
    return Finding(mint, sides.agree, str(sides), told)
