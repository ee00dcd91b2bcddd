"""Taking requests through their stages in a test, one stage at a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils import timezone
from pytest_django import Settings

from chains import registry as adapters
from fairlane.core.models import Event, Work
from fairlane.settings.env import Secret
from fairlane.settings.stablecoin import EvmChain
from sandbox.evm import HOLDERS, RELAYERS
from stablecoin import ledger, registry, stages
from stablecoin.listening import inbox
from stablecoin.listening.evm import ChainListener
from stablecoin.models import Attempt, Request
from stablecoin.stage_names import ADMIT, RELAY, SIGN, send, settle
from stablecoin.tests.outside import CHAIN, TOKEN, Outside


def use(settings: Settings, *urls: str) -> None:
    """Have the chain behind these providers."""
    key = Secret(RELAYERS[CHAIN].key)
    settings.EVM_CHAINS = {CHAIN: EvmChain(CHAIN, urls, "A", "", key)}
    adapters.forget()


def hear(outside: Outside) -> None:
    """Store everything that the compliance service has pending."""
    inbox.store(outside.pending())


def run(stage: str) -> None:
    """Let a worker take what the stage has, as if all of it were due, once."""
    Work.objects.filter(stage=stage, quarantined_at=None).update(
        due_at=timezone.now(), claim_id=None
    )
    found = stages.stage(stage)
    found.run()


def admit_and_sign() -> None:
    run(ADMIT)
    run(SIGN)


def signed(outside: Outside, count: int = 1) -> list[Request]:
    """Mints of one token each that wait for the relayer."""
    names = [
        outside.approve(user=HOLDERS[n % len(HOLDERS)].address, amount=str(TOKEN))
        for n in range(count)
    ]
    hear(outside)
    admit_and_sign()
    return list(Request.objects.filter(request_id__in=names, status="SIGNED").order_by("id"))


def relay() -> None:
    """One cycle of the relayer."""
    run(RELAY)


def make_due() -> None:
    """Let what was put off be due."""
    Work.objects.filter(stage__in=[send(CHAIN), settle(CHAIN)]).update(due_at=timezone.now())


def listen() -> None:
    """Let the listener come to the chain's head."""
    listener = ChainListener(registry.chains()[CHAIN], asyncio.Event())

    async def rounds() -> None:
        while await listener.round():
            """There is more."""
        await listener.round()

    adapters.run(rounds())


def complete(outside: Outside, blocks: int = 5) -> None:
    """Send what is signed, bury it under blocks, and apply it."""
    relay()
    outside.mine()
    relay()
    outside.mine(blocks)
    relay()
    listen()


def finish(outside: Outside, blocks: int = 5) -> None:
    """Cycles and blocks until everything that was sent is final, and applied."""
    for _ in range(3):
        relay()
        outside.mine()
    outside.mine(blocks)
    relay()
    listen()


def age() -> None:
    """Let what was sent have been sent long ago, so that it is due to be sent again."""
    Attempt.objects.update(sent_at=datetime.now(UTC) - timedelta(minutes=1))


def grow_old() -> None:
    """Let attempts have waited longer than anybody is patient."""
    Attempt.objects.update(created_at=datetime.now(UTC) - timedelta(days=1))


def assert_books_agree(outside: Outside) -> None:
    """What the contract holds is what the ledger says, and nothing else was entered."""
    balances = ledger.balances(CHAIN)
    assert sum(balances.values()) == 0
    assert -balances["issued"] == outside.supply
    assert balances["locked"] == outside.token.functions.lockedAmount().call()


def history(request_id: UUID) -> list[str]:
    """The statuses a request told of, in order, whose ``seq`` has no holes."""
    events = Event.objects.filter(object_id=request_id).order_by("seq")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.status for event in events]


def request(request_id: str) -> Request:
    return Request.objects.get(request_id=request_id)
