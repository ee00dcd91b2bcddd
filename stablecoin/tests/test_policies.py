"""What may go on, what needs people, what is refused."""

from hypothesis import given
from hypothesis import strategies as st

from stablecoin.policies import (
    Admit,
    Candidate,
    Decision,
    Limits,
    NeedsApproval,
    Reject,
    Used,
    decide,
    decide_all,
)


def candidate(
    amount: int = 100,
    *,
    kind: str = "mint",
    denied: bool = False,
    allowed: bool = False,
    known: bool = True,
    account: str = "alice",
) -> Candidate:
    return Candidate(kind, account, amount, denied, allowed, known)


def decided(asked: Candidate, limits: Limits | None = None, in_all: int = 0) -> Decision:
    return decide(asked, limits or Limits(), Used(in_all, {"alice": in_all}))


def rule(decision: Decision) -> str:
    assert isinstance(decision, Reject | NeedsApproval)
    return decision.rule


def test_what_breaks_no_rule_goes_on() -> None:
    assert decided(candidate()) == Admit()


def test_each_rule_refuses_a_mint_by_its_name() -> None:
    assert rule(decided(candidate(denied=True))) == "deny_list"
    assert rule(decided(candidate(), Limits(allow_listed_only=True))) == "allow_list"
    assert rule(decided(candidate(known=False))) == "kyc"
    assert rule(decided(candidate(), Limits(per_request=99))) == "per_request_cap"
    assert rule(decided(candidate(), Limits(per_address_daily=199), 100)) == "address_cap"
    assert rule(decided(candidate(), Limits(daily=199), 100)) == "daily_cap"


def test_caps_may_be_used_up_to_the_last_unit() -> None:
    limits = Limits(per_request=100, per_address_daily=200, daily=200, four_eyes_above=100)
    assert decided(candidate(), limits, 100) == Admit()


def test_more_than_the_threshold_needs_people() -> None:
    assert rule(decided(candidate(101), Limits(four_eyes_above=100))) == "four_eyes"


def test_a_redeem_is_brought_before_people_and_never_refused() -> None:
    asked = candidate(kind="redeem", denied=True)
    decision = decided(asked)
    assert isinstance(decision, NeedsApproval)
    assert decision.rule == "deny_list"


@given(
    amounts=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 50)), max_size=30),
    daily=st.integers(0, 300),
    per_address=st.integers(0, 100),
    before=st.integers(0, 100),
)
def test_no_set_of_mints_passes_a_cap(
    amounts: list[tuple[str, int]], daily: int, per_address: int, before: int
) -> None:
    limits = Limits(daily=daily, per_address_daily=per_address)
    used = Used(before, {})
    asked = [candidate(amount, account=account) for account, amount in amounts]
    decisions = decide_all(asked, limits, used)
    passed = [c for c, d in zip(asked, decisions, strict=True) if not isinstance(d, Reject)]
    assert used.in_all == before + sum(c.amount for c in passed)
    assert used.in_all <= max(daily, before)
    assert all(amount <= per_address for amount in used.by_account.values())


def test_the_back_office_alone_mints_only_what_a_limit_allows() -> None:
    manual = Candidate("mint", "0x1", 5, denied=False, allowed=False, known=True, manual=True)
    assert decide(manual, Limits(four_eyes_above=5), Used(0, {})) == Admit()
    assert isinstance(decide(manual, Limits(four_eyes_above=4), Used(0, {})), NeedsApproval)
    assert isinstance(decide(manual, Limits(), Used(0, {})), NeedsApproval)
