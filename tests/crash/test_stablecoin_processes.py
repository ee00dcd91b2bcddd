"""The stablecoin's processes killed with SIGKILL at each named point, and what becomes of money."""

import re
import signal
from itertools import zip_longest
from pathlib import Path

import pytest

from sandbox.home import REPOSITORY
from stablecoin.stages import TASKS
from tests.evm import CONFIRMATIONS, TOKEN
from tests.issuance import MINTS, REDEEMERS, WAVE, Issuance
from tests.waiting import until

KURO = ["stablecoin.kuro.received", "stablecoin.intake.stored", "stablecoin.kuro.stored"]
CHAIN = [
    "stablecoin.listen.fetched",
    "stablecoin.listen.stored",
    "stablecoin.listen.before_apply",
    "stablecoin.intake.stored",
    "stablecoin.listen.applied",
]
STAGES = [
    "stablecoin.admit.claimed",
    "stablecoin.admit.before_persist",
    "stablecoin.admit.persisted",
    "stablecoin.sign.claimed",
    "stablecoin.sign.stored",
    "stablecoin.sign.signed",
    "stablecoin.sign.recorded",
]
SENDING = [
    "stablecoin.relay.claimed",
    "stablecoin.relay.observed",
    "stablecoin.relay.stored",
    "stablecoin.relay.sent",
    "stablecoin.relay.recorded",
]
CONFIRMING = ["stablecoin.relay.before_confirm", "stablecoin.relay.confirmed"]
REORGANISED = ["stablecoin.listen.rewound"]


def test_no_point_is_forgotten() -> None:
    named = {f"{stage}.claimed" for stage in TASKS}
    for file in (REPOSITORY / "stablecoin").rglob("*.py"):
        named |= set(re.findall(r'checkpoints\.reach\("([^"]+)"\)', Path(file).read_text()))
    assert named == {*KURO, *CHAIN, *STAGES, *SENDING, *CONFIRMING, *REORGANISED}


@pytest.mark.parametrize(("chain_point", "kuro_point"), [*zip_longest(CHAIN, KURO[::2])])
async def test_listeners_are_killed(
    issuance: Issuance, chain_point: str, kuro_point: str | None
) -> None:
    await issuance.give_tokens()
    stack = issuance.stack
    stack.stop("listen_evm")
    await issuance.reached(issuance.approve_some(MINTS), "MINED")
    for holder in REDEEMERS:
        issuance.redeem(holder, TOKEN // 1000)
    # What is minted and what is given up is all in the first range, and final.
    issuance.chain.mine(CONFIRMATIONS + 1)
    points = {"listen_evm": chain_point}
    if kuro_point:
        stack.stop("listen_kuro")
        issuance.approve_some(MINTS)
        points["listen_kuro"] = kuro_point
    await _die(issuance, points)
    await issuance.give_account()


async def test_who_listens_to_the_compliance_service_is_killed_inside_its_transaction(
    issuance: Issuance,
) -> None:
    issuance.stack.stop("listen_kuro")
    issuance.approve_some(MINTS)
    await _die(issuance, {"listen_kuro": KURO[1]})
    await issuance.give_account()


@pytest.mark.parametrize(("stage", "sending"), [*zip(STAGES, SENDING, strict=False)])
async def test_workers_are_killed_while_they_sign_and_send(
    issuance: Issuance, stage: str, sending: str
) -> None:
    # They have nothing in hand: to kill them is to stop them at once.
    issuance.stack.kill("worker-relayer")
    await issuance.wave("SIGNED")
    issuance.stack.kill("worker-stablecoin")
    await issuance.wave("RECEIVED")
    await _die(issuance, {"worker-stablecoin": stage, "worker-relayer": sending})
    await issuance.give_account()


@pytest.mark.parametrize(
    ("stage", "confirming"), [*zip(STAGES[len(SENDING) :], CONFIRMING, strict=True)]
)
async def test_workers_are_killed_while_they_sign_and_confirm(
    issuance: Issuance, stage: str, confirming: str
) -> None:
    stack = issuance.stack
    stack.kill("worker-stablecoin")
    await issuance.wave("RECEIVED")
    issuance.chain.turn(stall=True)
    stack.start("worker-stablecoin")
    await issuance.when(lambda: issuance.statuses()["SUBMITTED"] == WAVE, "the wave is sent")
    stack.kill("worker-stablecoin")
    stack.stop("worker-relayer")
    issuance.chain.turn(stall=False)
    issuance.chain.mine(CONFIRMATIONS + 1)
    await issuance.wave("RECEIVED")
    await _die(issuance, {"worker-stablecoin": stage, "worker-relayer": confirming})
    await issuance.give_account()


async def _die(issuance: Issuance, points: dict[str, str]) -> None:
    """Start processes that are killed where they get to their points, and others in their place."""
    stack = issuance.stack
    for point in points.values():
        stack.interruptions.kill_at(point)
    stack.start(*points)
    for name, point in points.items():
        await until(lambda: not stack.is_alive(name), f"{name} dies at {point}")  # noqa: B023
        assert stack.parts[name].process.returncode == -signal.SIGKILL
        stack.start(name)
