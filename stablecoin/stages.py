"""The stages of a request and the relayers' cycle, with the tasks and queues that run them."""

from collections.abc import Callable

from django.conf import settings

from fairlane.core import wakeups
from fairlane.core.claims import Claim
from fairlane.core.stages import Stage
from stablecoin.execution import admit, sign, waiting
from stablecoin.relaying import cycle
from stablecoin.stage_names import ADMIT, RELAY, SIGN, send, settle

TASKS = {
    ADMIT: ("stablecoin.admit", "stablecoin"),
    SIGN: ("stablecoin.sign", "stablecoin"),
    RELAY: ("stablecoin.relay", "relayer"),
}

# A relayer to a claim: a chain out of reach keeps its own relayer waiting and no other.
RELAYERS = 1


def stage(name: str) -> Stage:
    """The stage of this name."""
    work: dict[str, Callable[[Claim], None]] = {
        ADMIT: admit.work,
        SIGN: sign.work,
        RELAY: cycle.work,
    }
    return Stage(
        name,
        size=RELAYERS if name == RELAY else settings.STABLECOIN_STAGE_SIZE,
        lease_ms=settings.STABLECOIN_LEASE_SECONDS * 1_000,
        work=work[name],
        set_aside=cycle.set_aside if name == RELAY else waiting.set_aside,
    )


def register() -> None:
    """Declare which task a wake-up of each stage starts."""
    for name, (task, queue) in TASKS.items():
        wakeups.register(name, task=task, queue=queue)
    # What waits for a relayer is the relayer's to find.
    for chain_id in settings.EVM_CHAINS:
        for name in (send(chain_id), settle(chain_id)):
            wakeups.register(name, task="stablecoin.relay", queue="relayer")
