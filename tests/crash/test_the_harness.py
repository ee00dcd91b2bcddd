"""The account that all crash tests rely on does find what it is there to find."""

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tests.crash.ordeal import orders_under_way
from tests.onchain import MEMO_PREFIX
from tests.stack import Stack
from tests.waiting import until

MEMO_PROGRAM = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


async def test_a_second_execution_is_found_out(stack: Stack) -> None:
    async with orders_under_way(stack, 3) as orders:
        pass
    order_id = orders.orders[0]["orderId"]
    _execute_behind_fairlanes_back(stack, order_id)
    await until(lambda: stack.chain.executions([order_id]) == {order_id: 2}, "it has landed")
    with pytest.raises(AssertionError):
        await orders.give_account()


async def test_a_frame_seen_twice_or_never_is_found_out(stack: Stack) -> None:
    async with orders_under_way(stack, 3) as orders:
        pass
    witness = orders.witnesses[0]
    complete = list(witness.seen)
    for wrong in (complete[:2] + complete[1:], complete[:2] + complete[3:]):
        witness.seen = wrong
        with pytest.raises(AssertionError):
            await orders.give_account()


def _execute_behind_fairlanes_back(stack: Stack, order_id: str) -> None:
    trader = stack.world.traders["trader-01"]
    memo = Instruction(MEMO_PROGRAM, f"{MEMO_PREFIX}{order_id}".encode(), [])
    blockhash = Hash.from_string(stack.chain.blockhash())
    message = MessageV0.try_compile(trader.pubkey(), [memo], [], blockhash)
    stack.chain.send(bytes(VersionedTransaction(message, [trader])))
