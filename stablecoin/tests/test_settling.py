"""From the final block to the end of a request: the event, and what is done where it is missing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction
from pytest_django import Settings
from structlog.testing import capture_logs

from chains.evm.ports import Log
from fairlane.core import claims
from fairlane.core.errors import Problem
from fairlane.core.models import Work
from fairlane.core.principals import ALL, Principal
from sandbox.evm import HOLDERS
from stablecoin import ledger, locks, services
from stablecoin.listening import evm as listening
from stablecoin.models import Approval, Request, Transaction
from stablecoin.profiles import Profile, profile
from stablecoin.profiles.base import topic
from stablecoin.relaying import recording
from stablecoin.stage_names import settle
from stablecoin.tests import driving
from stablecoin.tests.liar import Answer, Liar, Params, lying
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def liar(outside: Outside, settings: Settings) -> Iterator[Liar]:
    """The only provider."""
    with lying(outside.rpc_urls[0]) as liar:
        driving.use(settings, liar.url)
        yield liar


def final(outside: Outside) -> Request:
    """A mint that the relayer knows to be final."""
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.relay()
    outside.mine(5)
    driving.relay()
    assert Transaction.objects.get().state == "FINAL"
    mint.refresh_from_db()
    return mint


def test_an_event_that_is_kept_back_brings_its_request_before_a_person(
    outside: Outside, liar: Liar
) -> None:
    def keeps_back(method: str, params: Params, answer: Answer) -> Answer:
        return answer | ({"result": []} if method == "eth_getLogs" else {})

    liar.tale = keeps_back
    mint = final(outside)
    assert mint.status == "MINED"
    driving.listen()
    with capture_logs() as told:
        driving.make_due()
        driving.relay()
    mint.refresh_from_db()
    assert mint.status == "REVIEW"
    assert "relayer.event_missing" in {entry["event"] for entry in told}
    assert not Work.objects.filter(object_id=mint.id).exists()
    # The difference shows on the books too, and nothing goes on with it.
    assert outside.supply == TOKEN
    assert ledger.balances(CHAIN)["issued"] == 0


def test_a_listener_that_is_late_is_waited_for(outside: Outside) -> None:
    mint = final(outside)
    for _ in range(2):
        driving.make_due()
        driving.relay()
    mint.refresh_from_db()
    assert mint.status == "MINED"
    assert Work.objects.get(object_id=mint.id).stage == settle(CHAIN)
    driving.listen()
    mint.refresh_from_db()
    assert mint.status == "COMPLETED"
    assert not Work.objects.filter(object_id=mint.id).exists()
    driving.assert_books_agree(outside)


def test_while_an_event_is_put_down_its_request_is_nobody_elses(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who ends it in that moment would find it failed, and the ledger would have it."""
    mint = final(outside)
    post = ledger.post
    refused = []

    def interfere() -> None:
        try:
            with transaction.atomic():
                Request.objects.select_for_update(nowait=True).get(id=mint.id)
        except OperationalError as error:
            refused.append(error)
        finally:
            connections.close_all()

    def post_meanwhile(logs: list[object], of: Profile) -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(interfere).result(30)
        post(logs, of)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "post", post_meanwhile)
    driving.listen()
    assert refused
    mint.refresh_from_db()
    assert mint.status == "COMPLETED"


def waiting_for_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_work_that_is_given_while_a_request_is_waited_for_is_held_with_it(outside: Outside) -> None:
    """Else it would be locked last instead of first, and two might wait for each other."""
    (mint,) = driving.signed(outside)
    Work.objects.filter(object_id=mint.id).delete()
    held, seen = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                locks.hold([mint.id])
                held.set()
                assert seen.wait(30)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Request.objects.select_for_update().get(id=mint.id)
            holding = thread.submit(hold)
            assert any(waiting_for_locks() for _ in range(50_000))
            claims.open_work([mint.id], settle(CHAIN))
        assert held.wait(30)
        with pytest.raises(OperationalError), transaction.atomic():
            Work.objects.select_for_update(nowait=True).get(object_id=mint.id)
        seen.set()
        holding.result(30)


def test_what_the_chain_has_done_is_not_approved_again(outside: Outside) -> None:
    """Its log is there, and not final: a contract that only counts nonces would do it twice."""
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.listen()
    ada = Principal("user", "1", "ada", frozenset(), ALL)
    for status in ("FAILED", "REVIEW"):
        Transaction.objects.update(state="REPLACED")
        Request.objects.update(status=status)
        with pytest.raises(Problem, match="carried out"):
            services.retry(request_id=mint.id, by=ada, reason="it failed")
    Request.objects.update(status="SIGNED")
    with transaction.atomic():
        recording.sign_anew([mint.id], "its approval was about to end")
    mint.refresh_from_db()
    assert mint.status == "REVIEW"
    assert Approval.objects.get().state == "SIGNED"


def test_an_odd_name_on_chain_stops_no_listener(outside: Outside) -> None:
    """A database takes no NUL, and a column no more than it is long."""
    name = "a\x00" + "b" * 200
    data = outside.web3.codec.encode(["string", "uint256"], [name, 5])
    log = Log(
        address=outside.contract,
        topics=(
            topic("Minted(string,address,uint256)"),
            "0x" + HOLDERS[0].address[2:].rjust(64, "0"),
        ),
        data=data,
        block_number=1,
        block_hash="0x",
        transaction_hash="0x",
        index=0,
    )
    (found,) = listening._found([log], profile("A"), CHAIN)
    assert found.request_id == "a\ufffd" + "b" * 126
