import asyncio
import threading
from collections.abc import Sequence

import pytest

from fairlane.core import group_commit
from fairlane.core.group_commit import GroupCommit


class Store:
    """Commits batches; the first one only when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.released = threading.Event()

    def commit(self, items: Sequence[int]) -> list[str]:
        self.batches.append(list(items))
        self.begun.set()
        assert self.released.wait(10)
        if 13 in items:
            raise ValueError("unlucky")
        return [f"stored {item}" for item in items]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def commits(store: Store) -> GroupCommit[int, str]:
    return GroupCommit(store.commit, weight=lambda item: 1_000 if item >= 100 else 1)


async def waiting(
    commits: GroupCommit[int, str], store: Store, items: Sequence[int]
) -> list[asyncio.Task[str]]:
    """A first commit that is under way (item 0), and others that wait for the next."""
    tasks = [asyncio.create_task(commits.submit(0))]
    await asyncio.to_thread(store.begun.wait, 10)
    tasks += [asyncio.create_task(commits.submit(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


async def test_what_arrives_meanwhile_shares_the_next_commit(
    commits: GroupCommit[int, str], store: Store
) -> None:
    tasks = await waiting(commits, store, range(1, 6))
    store.released.set()
    assert await asyncio.gather(*tasks) == [f"stored {n}" for n in range(6)]
    assert store.batches == [[0], [1, 2, 3, 4, 5]]


async def test_an_error_reaches_everybody_of_its_batch_and_nobody_else(
    commits: GroupCommit[int, str], store: Store
) -> None:
    tasks = await waiting(commits, store, [12, 13, 14])
    store.released.set()
    first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert first == "stored 0"
    assert [str(error) for error in others] == ["unlucky"] * 3
    assert await commits.submit(15) == "stored 15"


async def test_a_submitter_that_leaves_takes_nobody_along(
    commits: GroupCommit[int, str], store: Store
) -> None:
    first, second, third = await waiting(commits, store, [1, 2])
    second.cancel()
    store.released.set()
    assert (await first, await third) == ("stored 0", "stored 2")
    with pytest.raises(asyncio.CancelledError):
        await second
    assert store.batches == [[0], [1, 2]]


async def test_a_batch_is_bounded_by_weight_but_never_empty(
    commits: GroupCommit[int, str], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_WEIGHT", 999)
    tasks = await waiting(commits, store, [100, 1, 2, 101])
    store.released.set()
    await asyncio.gather(*tasks)
    assert store.batches == [[0], [100], [1, 2], [101]]
