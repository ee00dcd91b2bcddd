"""Limits set by hand."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from fairlane.core.models.access import AuditEntry
from stablecoin.models import Chain

pytestmark = pytest.mark.django_db

TOKEN = 10**18


@pytest.fixture
def chain() -> Chain:
    return Chain.objects.create(chain_id=5920, name="Kadena 20")


def set_limits(*arguments: str) -> str:
    said = StringIO()
    call_command("set_limits", *arguments, stdout=said)
    return said.getvalue()


def test_limits_are_set_in_tokens_and_audited(chain: Chain) -> None:
    set_limits("5920", "--four-eyes-above=10000", "--daily-cap=0.000000000000000001")
    set_limits("5920", "--four-eyes-above=none", "--reason=everybody is trusted")
    chain.refresh_from_db()
    assert (chain.four_eyes_above, chain.daily_cap, chain.per_request_cap) == (None, 1, None)
    first, second = AuditEntry.objects.order_by("id")
    assert (first.actor, first.object) == ("command:set_limits", "chain:5920")
    assert first.before == {"four_eyes_above": None, "daily_cap": None}
    assert first.after == {"four_eyes_above": str(10_000 * TOKEN), "daily_cap": "1"}
    assert (second.before, second.after) == (
        {"four_eyes_above": str(10_000 * TOKEN)},
        {"four_eyes_above": None},
    )
    assert second.reason == "everybody is trusted"


def test_a_large_amount_is_kept_to_the_last_digit(chain: Chain) -> None:
    set_limits("5920", "--per-request-cap=123456789012345678901234567.123456789012345678")
    chain.refresh_from_db()
    assert chain.per_request_cap == 123456789012345678901234567123456789012345678


def test_what_changes_nothing_is_not_audited(chain: Chain) -> None:
    set_limits("5920", "--daily-cap=none")
    assert not AuditEntry.objects.exists()


def test_initial_limits_leave_alone_what_people_have_set(chain: Chain) -> None:
    Chain.objects.filter(chain_id=5920).update(per_request_cap=7)
    assert "already" in set_limits("5920", "--daily-cap=5", "--initial")
    chain.refresh_from_db()
    assert (chain.per_request_cap, chain.daily_cap) == (7, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("5921", "--daily-cap=1"),
        ("5920",),
        ("5920", "--daily-cap=-1"),
        ("5920", "--daily-cap=nan"),
        ("5920", "--daily-cap=many"),
        ("5920", "--daily-cap=1e31"),
        ("5920", "--daily-cap=0.0000000000000000001"),
    ],
)
def test_odd_limits_are_refused(chain: Chain, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        set_limits(*arguments)
    chain.refresh_from_db()
    assert chain.daily_cap is None
