"""Dear answers: one maker for all who ask, and no more kept than there is room for."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Semaphore

import pytest

from fairlane.core.errors import Problem
from fairlane.core.shelves import Answer, Shelf

PATIENCE_S = 30.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


class Maker:
    """Makes an answer when it is let, and counts how often it was asked."""

    def __init__(self, body: bytes = b"made", final: bool = True) -> None:
        self.made = 0
        self.begun, self.go_on = Event(), Event()
        self._answer = Answer(body, final)

    def __call__(self) -> Answer:
        self.made += 1
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)
        return self._answer

    def at_once(self) -> "Maker":
        self.go_on.set()
        return self


class Counting(Shelf):
    """Tells of everyone who waits for another's answer."""

    def __init__(self) -> None:
        super().__init__(room=100, makers=1, patience_s=PATIENCE_S)
        self.waiting = Semaphore(0)

    def _await(self, coming: Future[Answer]) -> Answer:
        self.waiting.release()
        return super()._await(coming)

    def until_waiting(self, count: int) -> None:
        for _ in range(count):
            assert self.waiting.acquire(timeout=PATIENCE_S)


def shelf(*, room: int = 100, makers: int = 1, patience_s: float = PATIENCE_S) -> Shelf:
    return Shelf(room=room, makers=makers, patience_s=patience_s)


def never() -> Answer:
    raise AssertionError("it is kept, or being made")


def test_what_is_final_is_made_once() -> None:
    some, make = shelf(), Maker().at_once()
    assert [some.get("a", make).body for _ in range(3)] == [b"made"] * 3
    assert make.made == 1
    assert some.kept("a") is some.get("a", never)


def test_what_may_change_is_made_again() -> None:
    some, make = shelf(), Maker(final=False).at_once()
    assert some.get("a", make) == some.get("a", make)
    assert (make.made, some.kept("a")) == (2, None)


@pytest.mark.parametrize("final", [True, False])
def test_all_who_ask_meanwhile_get_the_one_that_is_made(
    pool: ThreadPoolExecutor, final: bool
) -> None:
    some, make = Counting(), Maker(final=final)
    first = pool.submit(some.get, "a", make)
    assert make.begun.wait(PATIENCE_S)
    others = [pool.submit(some.get, "a", never) for _ in range(5)]
    some.until_waiting(5)
    make.go_on.set()
    assert {id(each.result(PATIENCE_S)) for each in (first, *others)} == {id(first.result())}


def test_an_error_reaches_all_who_wait_and_is_not_kept(pool: ThreadPoolExecutor) -> None:
    some, begun, fail = Counting(), Event(), Event()

    def broken() -> Answer:
        begun.set()
        assert fail.wait(PATIENCE_S)
        raise LookupError("nothing there")

    first = pool.submit(some.get, "a", broken)
    assert begun.wait(PATIENCE_S)
    other = pool.submit(some.get, "a", never)
    some.until_waiting(1)
    fail.set()
    for each in (first, other):
        with pytest.raises(LookupError):
            each.result(PATIENCE_S)
    assert some.get("a", Maker().at_once()).body == b"made"


@pytest.mark.parametrize("key", ["same", "another"])
def test_nobody_waits_for_ever(pool: ThreadPoolExecutor, key: str) -> None:
    some, make = shelf(makers=1, patience_s=0.01), Maker()
    first = pool.submit(some.get, "same", make)
    assert make.begun.wait(PATIENCE_S)
    with pytest.raises(Problem) as problem:
        some.get(key, never)
    assert (problem.value.status, problem.value.headers["Retry-After"]) == (503, "2")
    make.go_on.set()
    assert first.result(PATIENCE_S).body == b"made"
    assert some.get("another", Maker().at_once()).body == b"made"


def test_what_was_not_asked_for_longest_makes_room() -> None:
    some = shelf(room=100)

    def put(key: str, size: int) -> None:
        some.get(key, Maker(bytes(size)).at_once())

    put("a", 40)
    put("b", 40)
    assert some.kept("a")
    put("c", 40)
    assert kept(some.kept, "abc") == "ac"
    put("d", 101)
    assert kept(some.kept, "abcd") == "ac"
    some.forget()
    put("e", 100)
    assert kept(some.kept, "ace") == "e"


def kept(look: Callable[[str], Answer | None], names: str) -> str:
    return "".join(name for name in names if look(name))
