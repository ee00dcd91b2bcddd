"""What is published of a settled batch is made once, names itself, and is paid for by its size."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from batches import chain_evidence, proofs, publication, published
from batches.models import Batch
from batches.tests import publishing, rows
from batches.verification import Verdict
from chains.errors import Transient
from fairlane.core import throttling
from fairlane.core.rates import Rate
from fairlane.core.tests.access_fixtures import IssueKey

Get = Callable[..., Any]
FIRST = publishing.published()
KINDS = ("bundle", "verify", "proof/" + "00" * 32)
FOR_EVER = "private, max-age=31536000, immutable"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    published.forget()
    yield
    published.forget()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made, in place of what takes a chain to make."""
    made: list[str] = []

    def maker(kind: str, what: Any) -> Callable[..., Any]:
        def make(*_: object) -> Any:
            made.append(kind)
            return what

        return make

    monkeypatch.setattr(publication, "bundle", maker("bundle", FIRST))
    monkeypatch.setattr(chain_evidence, "verdict", maker("verify", Verdict("VERIFIED")))
    monkeypatch.setattr(proofs, "proof", maker("proof", {"included": False}))
    return made


@pytest.fixture
def batch(db: None) -> Batch:
    return rows.batch(rows.market(), 7, orders=10)


@pytest.fixture
def get(client: Any, issue_key: IssueKey) -> Get:
    _, plain = issue_key("batches:read")

    def call(kind: str, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {plain}", **headers}
        return client.get(f"/api/batches/A-B/7/{kind}", headers=sent)

    return call


def test_a_hash_is_one_however_it_is_written(batch: Batch, made: list[str], get: Get) -> None:
    for text in ("ab" * 32, "AB" * 32):
        assert get(f"proof/{text}").status_code == 200
    assert made == ["proof"]


@pytest.mark.parametrize("text", ["ab", "ab" * 31, "ab" * 33, "g" * 64])
def test_of_what_is_no_hash_nothing_is_proven(
    batch: Batch, made: list[str], get: Get, text: str
) -> None:
    assert get(f"proof/{text}").status_code == 404
    assert made == []


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_settled_batch_it_is_made_once_and_kept_by_the_caller(
    batch: Batch, made: list[str], get: Get, kind: str
) -> None:
    first, again = get(kind), get(kind)
    assert (first.status_code, first["Cache-Control"]) == (200, FOR_EVER)
    assert (again.content, again["ETag"]) == (first.content, first["ETag"])
    assert len(made) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_it_is_told_so(batch: Batch, made: list[str], get: Get, kind: str) -> None:
    first = get(kind)
    known = get(kind, **{"If-None-Match": f'"other", {first["ETag"]}'})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", first["ETag"])
    assert known["Cache-Control"] == FOR_EVER
    assert get(kind, **{"If-None-Match": '"other"'}).content == first.content


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_batch_that_is_still_paid_it_is_made_each_time(
    batch: Batch, made: list[str], get: Get, kind: str
) -> None:
    Batch.objects.update(status="CLEARED")
    answer = get(kind)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-cache")
    assert get(kind, **{"If-None-Match": answer["ETag"]}).status_code == 304
    assert len(made) == 2


def test_a_bundle_may_change_until_the_tick_before_is_anchored(
    batch: Batch, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    for anchor, kept in ((None, False), ("signature", True)):
        tick = replace(FIRST.tick, previous=bytes([1]) * 32, previous_anchor=anchor)
        following = replace(FIRST, tick=tick)
        monkeypatch.setattr(publication, "bundle", lambda _, found=following: found)
        assert (get("bundle")["Cache-Control"] == FOR_EVER) is kept


def test_what_is_uncertain_long_after_is_not_put_off(
    batch: Batch, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    Batch.objects.update(updated_at=batch.updated_at - timedelta(minutes=2))
    missing = Verdict("UNCERTAIN", None, ("an anchor",))
    monkeypatch.setattr(chain_evidence, "verdict", lambda _: missing)
    assert get("verify").json()["note"] == ""


def test_what_is_uncertain_is_looked_into_again(
    batch: Batch, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = iter([Verdict("UNCERTAIN", None, ("an anchor",)), Verdict("VERIFIED")])
    monkeypatch.setattr(chain_evidence, "verdict", lambda _: next(verdicts))
    first = get("verify").json()
    assert (first["status"], "ask again" in first["note"]) == ("UNCERTAIN", True)
    again = [get("verify").json() for _ in range(2)]
    assert [(each["status"], each["note"]) for each in again] == [("VERIFIED", "")] * 2


@pytest.mark.parametrize("status", ["ROLLED", "VOIDED"])
def test_a_batch_that_executed_nothing_says_why(
    batch: Batch, made: list[str], get: Get, status: str
) -> None:
    assert get("verify").json()["note"] == ""
    Batch.objects.update(status=status, reason="the reference is off")
    note = get("verify").json()["note"]
    assert status in note
    assert "the reference is off" in note


def test_a_batch_that_ended_without_orders_is_not_awaited(batch: Batch, get: Get) -> None:
    Batch.objects.update(status="VOIDED", header=None)
    answer = get("bundle")
    assert answer.status_code == 404
    assert "VOIDED" in answer.json()["title"]


def test_a_node_that_does_not_answer_is_a_503(
    batch: Batch, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Batch) -> Verdict:
        raise Transient("no answer")

    monkeypatch.setattr(chain_evidence, "verdict", away)
    answer = get("verify")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"]


@pytest.mark.parametrize(
    ("kind", "orders", "cost"),
    [("bundle", 10_000, 1 + 50), ("verify", 10_000, 10 + 250), (KINDS[2], 10_000, 1 + 50)],
)
def test_what_has_to_be_made_costs_by_its_size_and_what_is_kept_like_anything(
    batch: Batch,
    made: list[str],
    get: Get,
    kind: str,
    orders: int,
    cost: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Batch.objects.update(orders=orders)
    spent: list[int] = []

    def check(*_: object, cost: int = 1) -> None:
        spent.append(cost)

    monkeypatch.setattr(throttling, "check", check)
    assert [get(kind).status_code for _ in range(2)] == [200, 200]
    assert spent == [1, cost, 1]


def test_who_has_spent_everything_gets_nothing_made(
    batch: Batch, made: list[str], get: Get, settings: Settings
) -> None:
    settings.THROTTLE_KEY = Rate(20, 3_600_000)
    Batch.objects.update(orders=10_000)
    assert get("verify").status_code == 200
    answer = get("bundle")
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert made == ["verify"]
