import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from fairlane.core import audit, switches
from fairlane.core.append_only import AppendOnly
from fairlane.core.errors import Problem
from fairlane.core.models.access import AuditEntry, Switch
from fairlane.core.threads import in_thread


@pytest.mark.django_db
def test_a_switch_nobody_set_is_on() -> None:
    assert switches.is_on("orders.intake")
    switches.require_on("orders.intake")


@pytest.mark.django_db(transaction=True)
def test_a_pause_is_known_at_once_here_and_audited() -> None:
    assert switches.is_on("orders.intake")
    switches.set_switch(name="orders.intake", on=False, by="user:1 ann", reason="maintenance")
    with pytest.raises(Problem) as caught:
        switches.require_on("orders.intake")
    assert (caught.value.status, caught.value.code) == (503, "paused")
    assert switches.is_on("venue.raydium")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.object, entry.reason) == (
        "user:1 ann",
        "switch:orders.intake",
        "maintenance",
    )
    assert (entry.before, entry.after) == (
        {"on": True, "reason": ""},
        {"on": False, "reason": "maintenance"},
    )


@pytest.mark.django_db
def test_questions_between_reloads_cost_no_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    switches.is_on("a")
    with django_assert_num_queries(0):
        switches.is_on("a")
        switches.is_on("b")


@pytest.mark.django_db
def test_another_process_follows_when_its_knowledge_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert switches.is_on("a")
    Switch.objects.create(name="a", on=False)
    assert switches.is_on("a")
    monkeypatch.setattr(switches, "TTL_S", 0.0)
    assert not switches.is_on("a")


@pytest.mark.django_db(transaction=True)
async def test_the_event_loop_gets_the_same_answer() -> None:
    await in_thread(Switch.objects.create)(name="a", on=False)
    with pytest.raises(Problem):
        await switches.arequire_on("a")
    assert await switches.ais_on("b")


@pytest.mark.django_db(transaction=True)
def test_the_protection_can_be_lifted_and_put_back() -> None:
    entry = audit.record(actor="user:1 ann", action="test", object="thing:1")
    constraint = AppendOnly(name="audit_append_only")
    with connection.schema_editor() as editor:
        editor.remove_constraint(AuditEntry, constraint)
    AuditEntry.objects.filter(pk=entry.pk).update(reason="lifted")
    with connection.schema_editor() as editor:
        editor.add_constraint(AuditEntry, constraint)
    with pytest.raises(DatabaseError, match="never changed"):
        AuditEntry.objects.filter(pk=entry.pk).update(reason="again")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["UPDATE core_auditentry SET actor = 'nobody'", "DELETE FROM core_auditentry"]
)
def test_the_audit_trail_is_never_changed(statement: str) -> None:
    entry = audit.record(actor="user:1 ann", action="test", object="thing:1")
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    entry.refresh_from_db()
    assert entry.actor == "user:1 ann"
