"""Tasks of the stablecoin app: each is a wake-up of a stage and nothing else."""

from celery import shared_task

from stablecoin import probes, stages
from stablecoin.relaying import cycle
from stablecoin.stage_names import ADMIT, RELAY, SIGN


@shared_task(name="stablecoin.admit")
def admit() -> None:
    """Judge every request that is due."""
    stages.stage(ADMIT).run()


@shared_task(name="stablecoin.sign")
def sign() -> None:
    """Have every request that is due approved by the key service."""
    stages.stage(SIGN).run()


@shared_task(name="stablecoin.relay")
def relay() -> None:
    """Run one cycle of every relayer that is due."""
    stages.stage(RELAY).run()


@shared_task(name="stablecoin.relayers")
def relayers() -> None:
    """Let every chain that is served have its relayer."""
    cycle.open_relayers()


@shared_task(name="stablecoin.check_key_service")
def check_key_service() -> None:
    """Ask the key service for the key that approves, and tell how it was found."""
    probes.check_key_service()
