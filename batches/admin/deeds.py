"""What operators do to markets and batches; the services decide whether it may be done."""

from collections.abc import Callable
from uuid import UUID

from batches import listing, pools, reviews, services
from batches.models import Batch, Market
from batches.pools import PoolError
from fairlane.core import switches
from fairlane.core.admin.deeds import Deed
from fairlane.core.errors import Problem, not_found
from fairlane.core.principals import Principal


def _turn(on: bool) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        market = Market.objects.get(id=key)
        switches.set_switch(name=market.switch, on=on, by=by.actor, reason=reason)
        return f"{market.name} {'trades again' if on else 'is paused'}."

    return run


def _set_active(active: bool) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        market = listing.set_active(int(key), active, by=by.actor, reason=reason)
        return f"{market.name} is {'open again' if active else 'closed'}."

    return run


def _use_pool(on: bool) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        market = pools.use(int(key), on, by=by.actor, reason=reason)
        return f"{market.name} {'uses' if on else 'leaves out'} its pool."

    return run


def _drain_pool(key: str, by: Principal, reason: str) -> str:
    market = Market.objects.get(id=key)
    try:
        paid = pools.drain(market, wallet=None, by=by.actor, reason=reason)
    except PoolError as error:
        raise Problem(409, "stale_state", str(error)) from None
    return f"What the pool of {market.name} held is paid to {paid.wallet}."


def _on_batch(service: Callable[..., None], done: str) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        try:
            service(UUID(key), by=by.actor, reason=reason)
        except Batch.DoesNotExist:
            raise not_found("The batch had no orders, and is gone") from None
        batch = Batch.objects.select_related("market").get(id=key)
        return f"{batch.market.name}/{batch.number} {done}"

    return run


def _in_review(service: Callable[..., None], done: str) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        service(UUID(key), by=by.actor, reason=reason)
        return done

    return run


PAUSE = Deed(
    "Pause",
    "New orders are answered with 503, and no batch takes orders in. What is closed already goes on"
    " to its end; orders can be cancelled.",
    _turn(on=False),
)
RESUME = Deed(
    "Resume",
    "Orders are taken again, and those that are open are in the next batch. Where a vault was found"
    " to lack what its ledger says, find out why first.",
    _turn(on=True),
)
CLOSE_MARKET = Deed(
    "Close",
    "No batches are planned any more, and new orders are refused. Those that are planned still take"
    " the orders that are open; what these leave can be cancelled, and is paid back when it"
    " expires.",
    _set_active(active=False),
)
REOPEN_MARKET = Deed(
    "Open again",
    "Batches are planned again, and take the orders that are open still.",
    _set_active(active=True),
)
USE_POOL = Deed(
    "Use the pool",
    "From the next batch on the market's pool takes what batches leave, as far as it is funded.",
    _use_pool(on=True),
)
LEAVE_POOL = Deed(
    "Leave the pool out",
    "The next batches trade without the market's pool, which keeps what it holds.",
    _use_pool(on=False),
)
DRAIN_POOL = Deed(
    "Drain the pool",
    "Everything that the pool holds is paid back to the wallet that has funded it.",
    _drain_pool,
    grave=True,
)
# The chain keeps what it was told, and a person's word is no proof for others.
_IN_PUBLIC = (
    " Once its root is on chain, everybody sees a commitment that nothing followed, and nobody can"
    " prove why: say so in public."
)
ROLL = Deed(
    "Roll",
    "The batch does not execute. Its orders go on with the next one; those that were for this one"
    f" alone end and are paid back.{_IN_PUBLIC}",
    _on_batch(services.roll, "is rolled."),
    grave=True,
)
VOID = Deed(
    "Void",
    f"The batch does not execute. Its orders end and are paid back.{_IN_PUBLIC}",
    _on_batch(services.void, "is called off."),
    grave=True,
)
LOOK_AGAIN = Deed(
    "Look again",
    "What became of the transaction is looked up on chain once more, as if it had just been sent."
    " Where the node's history does not reach back to it, point SOLANA_RPC_URL at one that knows"
    " more first. What stays unknown comes back into review.",
    _in_review(reviews.look_again, "The transaction is looked up again."),
)
LOOK_FOR = Deed(
    LOOK_AGAIN.title,
    LOOK_AGAIN.effect,
    _in_review(reviews.look_for, "Its transaction is looked up again."),
)
ACCEPT = Deed(
    "Take as it is",
    "The transaction counts as what it was to do, whatever else it moved. What the vault lacks by"
    " then is found by the next comparison, and pauses the markets until it is made good.",
    _in_review(reviews.accept, "The transaction is taken as it is."),
    grave=True,
)
TRY_AGAIN = Deed(
    "Try again",
    "The transfer is put into another transaction. It is refused where one of it may have landed.",
    _in_review(reviews.try_again, "The transfer is tried again."),
)
PAY_ANYWAY = Deed(
    "Pay anyway",
    "The owner is paid at once. Where there is no account of the token, one is opened, and the"
    " coordinator pays its rent of 0.002 SOL.",
    _in_review(reviews.pay_anyway, "The payout is made."),
)
GO_ON_WITH_ORDER = Deed(
    "Go on",
    "What became of the order's escrow is looked up again; where nothing was sent, it is pulled.",
    _in_review(reviews.go_on_with_order, "The order goes on."),
)
GO_ON_WITH_TICK = Deed(
    "Go on",
    "The tick is worked on again in the stage where it was put aside. An anchor that is too late"
    " by then rolls its batches.",
    _in_review(reviews.go_on_with_tick, "The tick goes on."),
)
