import asyncio
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chains.event_loop import EventLoopThread


async def loop_id() -> int:
    return id(asyncio.get_running_loop())


def test_every_call_of_every_thread_runs_on_one_loop() -> None:
    loop = EventLoopThread()
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: loop.run(loop_id()), range(64)))
    assert ids == {loop.run(loop_id())}


def test_calls_of_several_threads_overlap() -> None:
    loop = EventLoopThread()
    meeting: asyncio.Queue[str] = asyncio.Queue()

    async def give() -> None:
        await meeting.put("hello")

    async def take() -> str:
        return await meeting.get()

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(loop.run, take())
        loop.run(give())
        assert taken.result(timeout=10) == "hello"


def test_an_exception_reaches_the_caller() -> None:
    async def fail() -> None:
        raise LookupError("reason")

    with pytest.raises(LookupError, match="reason"):
        EventLoopThread().run(fail())


async def test_a_running_loop_has_to_await_instead() -> None:
    with pytest.raises(RuntimeError, match="await the coroutine"):
        EventLoopThread().run(loop_id())


def test_an_interrupted_wait_cancels_the_work() -> None:
    """As a time limit of a task does: by a signal in the main thread."""
    loop = EventLoopThread()
    cancelled = threading.Event()
    main = threading.main_thread().ident
    assert main is not None

    class TimeLimit(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise TimeLimit

    async def work() -> None:
        while sys._current_frames()[main].f_code is not threading.Condition.wait.__code__:
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGUSR1)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    previous = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(TimeLimit):
            loop.run(work())
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert cancelled.wait(timeout=10)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    loop = EventLoopThread()
    loop.run(loop_id())
    child = os.fork()
    if child == 0:
        alive = loop.run(asyncio.sleep(0, result=True))
        os._exit(0 if alive else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
