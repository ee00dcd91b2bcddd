"""What people may do with requests, and the pages where they do it."""

from datetime import date
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from uuid_utils.compat import uuid7

from fairlane.core.auth import principal_of_user
from fairlane.core.errors import Problem
from fairlane.core.models import AuditEntry, Work
from fairlane.core.principals import Principal
from sandbox.evm import HOLDERS
from stablecoin import services
from stablecoin.models import AddressRule, Approval, Chain, ChainLog, Relayer, Request, Transaction
from stablecoin.stage_names import ADMIT, SIGN
from stablecoin.tests import driving

pytestmark = pytest.mark.django_db

ACCOUNT = "0x742d35Cc6634C0532925a3b8D8c9c9b6c6c8c8c8"


@pytest.fixture
def chain(db: None) -> Chain:
    return Chain.objects.create(chain_id=5920, name="Test chain", contract=ACCOUNT)


def request(chain: Chain, status: str, **columns: object) -> Request:
    return Request.objects.create(
        id=uuid7(),
        kind="mint",
        chain=chain,
        request_id=f"req-{uuid7().hex}",
        wallet=ACCOUNT,
        amount=10**18,
        source="kuro",
        created_by="kuro",
        status=status,
        seq=0,
        **columns,
    )


def person(name: str) -> tuple[User, Principal]:
    user = User.objects.create_superuser(name)
    return user, principal_of_user(user)


def agree(found: Request, by: Principal) -> Request:
    return services.agree(request_id=found.id, by=by, reason="looked at it")


def test_two_different_people_let_a_request_go_on(chain: Chain) -> None:
    found = request(chain, "AWAITING_APPROVAL")
    (_, first), (_, second) = person("ada"), person("bob")
    assert agree(found, first).status == "AWAITING_APPROVAL"
    with pytest.raises(Problem, match="spoken"):
        agree(found, first)
    assert not Work.objects.exists()
    assert agree(found, second).status == "QUEUED"
    assert Work.objects.get(object_id=found.id).stage == SIGN
    assert AuditEntry.objects.filter(action="stablecoin.agree").count() == 2


def test_one_no_ends_a_request(chain: Chain) -> None:
    found = request(chain, "AWAITING_APPROVAL")
    _, someone = person("ada")
    ended = services.decline(request_id=found.id, by=someone, reason="unknown payer")
    assert (ended.status, ended.rule) == ("REJECTED", "four_eyes")


def test_who_asked_for_it_has_no_say(chain: Chain) -> None:
    user, someone = person("ada")
    found = request(chain, "AWAITING_APPROVAL")
    Request.objects.filter(id=found.id).update(created_by=f"user:{user.pk}")
    with pytest.raises(Problem, match="no say"):
        agree(found, someone)


def test_a_program_has_no_say(chain: Chain) -> None:
    found = request(chain, "AWAITING_APPROVAL")
    program = Principal("key", "1", "bot", frozenset(), frozenset())
    with pytest.raises(Problem, match="people"):
        agree(found, program)


def test_a_failed_request_is_judged_anew(chain: Chain) -> None:
    found = request(chain, "FAILED", failure_kind="contract")
    _, someone = person("ada")
    again = services.retry(request_id=found.id, by=someone, reason="unfrozen")
    assert again.status == "RECEIVED"
    assert Work.objects.get(object_id=found.id).stage == ADMIT


def test_a_request_whose_transaction_may_be_mined_neither_fails_nor_is_signed_anew(
    chain: Chain,
) -> None:
    found = request(chain, "REVIEW")
    relayer = Relayer.objects.create(id=uuid7(), chain=chain, address=ACCOUNT)
    Transaction.objects.create(relayer=relayer, nonce=0, request=found, state="BROADCAST", gas=1)
    Approval.objects.create(
        request=found, number=1, state="SIGNED", nonce=1, deadline=1, digest=b"", signature=b"x"
    )
    _, someone = person("ada")
    with pytest.raises(Problem, match="still be mined"):
        services.fail_review(request_id=found.id, by=someone, reason="no")
    resumed = services.retry(request_id=found.id, by=someone, reason="looked")
    assert resumed.status == "SUBMITTED"
    assert Approval.objects.get().state == "SIGNED"
    assert not Work.objects.exists()


def test_what_is_settled_is_not_sped_up(chain: Chain) -> None:
    relayer = Relayer.objects.create(id=uuid7(), chain=chain, address=ACCOUNT)
    waiting = Transaction.objects.create(relayer=relayer, nonce=0, state="BROADCAST", gas=1)
    settled = Transaction.objects.create(relayer=relayer, nonce=1, state="FINAL", gas=1)
    _, someone = person("ada")
    assert (
        services.speed_up(transaction_id=waiting.pk, by=someone, reason="slow").wish == "speed_up"
    )
    with pytest.raises(Problem, match="settled"):
        services.cancel_transaction(transaction_id=settled.pk, by=someone, reason="slow")


def test_nobody_can_act_on_what_is_not_there() -> None:
    _, someone = person("ada")
    with pytest.raises(Problem) as refusal:
        services.retry(request_id=UUID(int=0), by=someone, reason="?")
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    "model",
    [
        "request",
        "transaction",
        "chain",
        "addressrule",
        "kuroevent",
        "chainlog",
        "ledgerentry",
        "ledgerbalance",
        "reconciliation",
        "relayer",
    ],
)
def test_every_list_opens(client: Client, chain: Chain, model: str) -> None:
    user, _ = person("ada")
    request(chain, "REVIEW")
    client.force_login(user)
    assert client.get(reverse(f"admin:stablecoin_{model}_changelist")).status_code == 200


def test_a_person_agrees_in_the_back_office(client: Client, chain: Chain) -> None:
    found = request(chain, "AWAITING_APPROVAL")
    _, first = person("ada")
    agree(found, first)
    user, _ = person("bob")
    client.force_login(user)
    page = client.get(reverse("admin:stablecoin_request_change", args=[found.id]))
    assert page.status_code == 200
    address = reverse("admin:stablecoin_request_agree", args=[found.id])
    answer = client.post(address, {"confirmed": "yes", "reason": "seen the bank's letter"})
    assert answer.status_code == 302
    assert driving.request(found.request_id).status == "QUEUED"


def test_no_page_shows_signed_bytes(client: Client, chain: Chain) -> None:
    """Whoever has a signed approval can carry it out."""
    relayer = Relayer.objects.create(id=uuid7(), chain=chain, address=ACCOUNT)
    row = Transaction.objects.create(relayer=relayer, nonce=0, state="BROADCAST", gas=1)
    row.attempts.create(
        number=1, hash="0x" + "ab" * 32, raw=b"\xfe\xed" * 40, max_fee=1, priority_fee=1
    )
    user, _ = person("ada")
    client.force_login(user)
    page = client.get(reverse("admin:stablecoin_transaction_change", args=[row.pk]))
    assert page.status_code == 200
    assert "ab" * 32 in page.content.decode()
    assert "feedfeed" not in page.content.decode()


def test_a_contested_request_that_needs_two_people_still_needs_them(chain: Chain) -> None:
    found = request(chain, "REVIEW")
    Request.objects.filter(id=found.id).update(rule="four_eyes", admitted_on=date(2026, 1, 1))
    _, someone = person("ada")
    services.retry(request_id=found.id, by=someone, reason="looked at it")
    found.refresh_from_db()
    assert (found.status, found.admitted_on) == ("RECEIVED", None)
    assert Work.objects.get(object_id=found.id).stage == ADMIT


def test_what_people_said_of_an_earlier_round_does_not_count(chain: Chain) -> None:
    found = request(chain, "AWAITING_APPROVAL")
    people = [person(name)[1] for name in ("ada", "bob")]
    for someone in people:
        agree(found, someone)
    Request.objects.filter(id=found.id).update(status="FAILED", failure_reason="frozen")
    services.retry(request_id=found.id, by=people[0], reason="thawed")
    found.refresh_from_db()
    assert (found.status, found.failure_reason) == ("RECEIVED", "")
    Request.objects.filter(id=found.id).update(status="AWAITING_APPROVAL")
    agree(found, people[0])
    found.refresh_from_db()
    assert found.status == "AWAITING_APPROVAL"
    agree(found, people[1])
    found.refresh_from_db()
    assert found.status == "QUEUED"


def test_accounts_are_listed_as_requests_write_them(client: Client) -> None:
    user, _ = person("ada")
    client.force_login(user)
    path = reverse("admin:stablecoin_addressrule_add")
    wrong = {"wallet": "nonsense", "effect": "deny", "reason": "x"}
    assert client.post(path, wrong).status_code == 200
    assert not AddressRule.objects.exists()
    client.post(path, wrong | {"wallet": HOLDERS[0].address.lower()})
    assert AddressRule.objects.get().wallet == HOLDERS[0].address


def test_a_limit_below_nothing_is_refused(chain: Chain) -> None:
    chain.daily_cap = -5
    with pytest.raises(ValidationError):
        chain.full_clean()


def test_what_the_contract_has_done_is_not_ended_as_failed(chain: Chain) -> None:
    found = request(chain, "REVIEW")
    ChainLog.objects.create(
        chain=chain,
        transaction_hash="0x1",
        log_index=0,
        block_number=1,
        block_hash="0x2",
        kind="minted",
        request_id=found.request_id,
        wallet=found.wallet,
        amount=found.amount,
    )
    _, someone = person("ada")
    with pytest.raises(Problem) as refusal:
        services.fail_review(request_id=found.id, by=someone, reason="too late")
    assert refusal.value.code == "done_on_chain"
    found.refresh_from_db()
    assert found.status == "REVIEW"
