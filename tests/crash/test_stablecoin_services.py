"""PostgreSQL, Redis, the chain and the key service break while money is under way."""

import os
import signal

import pytest
import redis

from tests.crash.conftest import ISSUING
from tests.issuance import MINTS, WAVE, Issuance
from tests.stack import STABLECOIN, TWINS
from tests.waiting import until

# Judged, but not recorded; signed, but not recorded; final on chain, but not in the ledger.
JUDGED = "stablecoin.admit.before_persist"
SIGNED = "stablecoin.sign.signed"
FINAL = "stablecoin.listen.before_apply"


async def _held(issuance: Issuance, point: str) -> None:
    await until(lambda: issuance.stack.interruptions.is_held(point), f"a process is at {point}")


@pytest.mark.parametrize("moment", [JUDGED, SIGNED, FINAL])
async def test_redis_is_flushed(issuance: Issuance, moment: str) -> None:
    stack = issuance.stack
    await issuance.give_tokens()
    stack.interruptions.hold_at(moment)
    issuance.approve_some(MINTS)
    await _held(issuance, moment)
    with redis.Redis.from_url(stack.parts["redis"].url) as broker:
        broker.flushall()
    stack.interruptions.release(moment)
    await issuance.give_account()


async def test_redis_is_restarted(issuance: Issuance) -> None:
    stack = issuance.stack
    await issuance.give_tokens()
    stack.interruptions.hold_at(SIGNED)
    issuance.approve_some(MINTS)
    await _held(issuance, SIGNED)
    stack.parts["redis"].kill()
    stack.interruptions.release(SIGNED)
    # Whoever hears of these can wake nobody: it is the sweeper that finds them.
    late = issuance.approve_some(MINTS)
    await issuance.reached(late, "RECEIVED")
    stack.restart_redis()
    await issuance.give_account()


@pytest.mark.parametrize(
    ("how", "moment"),
    [(signal.SIGINT, SIGNED), (signal.SIGKILL, FINAL)],
    ids=lambda value: getattr(value, "name", value),
)
async def test_postgres_is_restarted(issuance: Issuance, how: signal.Signals, moment: str) -> None:
    stack = issuance.stack
    await issuance.give_tokens()
    stack.interruptions.hold_at(moment)
    issuance.approve_some(MINTS)
    await _held(issuance, moment)
    stack.parts["postgres"].process.send_signal(how)
    stack.parts["postgres"].process.wait()
    stack.interruptions.release(moment)
    issuance.approve_some(MINTS)
    stack.restart_postgres()
    await issuance.give_account()


async def test_no_provider_answers(issuance: Issuance) -> None:
    await _trouble(
        issuance, "SELECT 1 FROM stablecoin_relayer WHERE error <> ''", a="down", b="down"
    )


async def test_providers_lose_transactions_and_answers(issuance: Issuance) -> None:
    tried = (
        "SELECT 1 FROM stablecoin_attempt a JOIN stablecoin_transaction t"
        " ON t.id = a.transaction_id WHERE t.state <> 'FINAL' AND a.sent_at IS NOT NULL"
    )
    await _trouble(issuance, tried, a="drop_sends", b="swallow_sends")


async def _trouble(issuance: Issuance, noticed: str, **knobs: str) -> None:
    """Providers misbehave while a wave is to be sent, until the relayer has noticed."""
    issuance.stack.kill("worker-relayer")
    await issuance.wave("SIGNED")
    for node, knob in knobs.items():
        issuance.chain.turn(node, **{knob: True})
    issuance.stack.start("worker-relayer")
    await issuance.when(lambda: issuance.rows(noticed), "the relayer has tried")
    for node, knob in knobs.items():
        issuance.chain.turn(node, **{knob: False})
    await issuance.give_account()


@pytest.mark.parametrize("trouble", [{"down": True}, {"throttle": 0.4}], ids=["down", "throttling"])
async def test_the_key_service_is_in_trouble(
    issuance: Issuance, trouble: dict[str, object]
) -> None:
    issuance.turn_kms(**trouble)
    issuance.approve_some(MINTS)
    if "down" in trouble:
        refused = "SELECT 1 FROM stablecoin_request WHERE status = 'SIGNING' AND tries > 0"
        await issuance.when(lambda: issuance.rows(refused), "the key service was asked in vain")
        issuance.turn_kms(down=False)
    await issuance.give_account()


async def test_every_process_runs_twice(issuance: Issuance) -> None:
    stack = issuance.stack
    stack.start(*TWINS)
    await issuance.ask()
    await issuance.give_account()
    # Now the others are those that stand by.
    for name in STABLECOIN:
        stack.kill(name)
    await issuance.ask()
    await issuance.give_account()
    stack.start(*STABLECOIN)


@pytest.mark.parametrize("sleeper", ["worker-stablecoin", "worker-relayer"])
async def test_a_worker_sleeps_through_its_lease(issuance: Issuance, sleeper: str) -> None:
    stack = issuance.stack
    moment = SIGNED if sleeper == "worker-stablecoin" else "stablecoin.relay.stored"
    stack.kill(sleeper)
    await issuance.wave("RECEIVED" if sleeper == "worker-stablecoin" else "SIGNED")
    stack.interruptions.hold_at(moment)
    stack.start(sleeper)
    await _held(issuance, moment)
    asleep = stack.parts[sleeper].pid
    os.killpg(asleep, signal.SIGSTOP)
    stack.start("worker-twin")
    await issuance.give_account()
    stack.interruptions.release(moment)
    os.killpg(asleep, signal.SIGCONT)
    # What the sleeper still had in hand has done no harm, and it goes on.
    issuance.approve_some(MINTS)
    await issuance.give_account()


async def test_everything_is_killed_at_once(issuance: Issuance) -> None:
    stack = issuance.stack
    stack.kill("worker-stablecoin")
    await issuance.wave("RECEIVED")
    stack.interruptions.hold_at(SIGNED)
    stack.start("worker-stablecoin")
    await _held(issuance, SIGNED)
    for name in ISSUING:
        stack.kill(name)
    stack.interruptions.release(SIGNED)
    stack.start(*ISSUING)
    await issuance.give_account()


@pytest.mark.parametrize("transactions", ["keep", "drop"])
async def test_the_chain_is_reorganised(issuance: Issuance, transactions: str) -> None:
    stack = issuance.stack
    stack.kill("worker-stablecoin")
    await issuance.wave("RECEIVED")
    stack.start("worker-stablecoin")
    await issuance.when(lambda: issuance.statuses()["MINED"] == WAVE, "the wave is mined")
    stack.interruptions.kill_at("stablecoin.listen.rewound")
    replaced = 0

    def dies() -> bool:
        # The listener is some blocks behind the head, and may not have seen those that are gone.
        nonlocal replaced
        head = issuance.chain.web3.eth.block_number
        if stack.is_alive("listen_evm") and head > replaced + 3:
            issuance.chain.reorganise(2, transactions)
            replaced = head
        return not stack.is_alive("listen_evm")

    await until(dies, "the listener dies where it rewinds")
    stack.start("listen_evm")
    await issuance.give_account()
