"""What may go on by itself, what needs people, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What people allow on a chain, in base units; None is no limit."""

    per_request: int | None = None
    per_address_daily: int | None = None
    daily: int | None = None
    four_eyes_above: int | None = None
    allow_listed_only: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request that is to be judged.

    Attributes:
        denied, allowed: whether people put its account on a list.
        known: whether the chain's registry says that the account was identified.
        manual: whether nobody but the back office vouches for it.
    """

    kind: str
    account: str
    amount: int
    denied: bool
    allowed: bool
    known: bool
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Admit:
    """It goes on by itself."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """It goes on once two people have agreed."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    """It does not go on."""

    rule: str
    reason: str


Decision = Admit | NeedsApproval | Reject


@dataclass(slots=True)
class Used:
    """What a day has used of a chain's caps for one kind; grows with what is let through."""

    in_all: int
    by_account: dict[str, int]

    def add(self, candidate: Candidate) -> None:
        self.in_all += candidate.amount
        before = self.by_account.get(candidate.account, 0)
        self.by_account[candidate.account] = before + candidate.amount


def decide_all(candidates: Sequence[Candidate], limits: Limits, used: Used) -> list[Decision]:
    """Judge requests of one chain and kind in their order; each counts for those after it.

    What waits for people counts too: they should not find that the day is used up by then.
    """
    decisions: list[Decision] = []
    for candidate in candidates:
        decision = decide(candidate, limits, used)
        if not isinstance(decision, Reject):
            used.add(candidate)
        decisions.append(decision)
    return decisions


def decide(candidate: Candidate, limits: Limits, used: Used) -> Decision:
    """The first rule that holds decides.

    A redeem is never refused: its tokens are locked on chain already, and refusing would strand
    them. What would refuse a mint brings a redeem before people.
    """
    broken = _broken(candidate, limits, used)
    if broken is not None:
        return NeedsApproval(*broken) if candidate.kind == "redeem" else Reject(*broken)
    above = limits.four_eyes_above
    if above is None and candidate.manual:
        return NeedsApproval("four_eyes", "no limit says what the back office may do alone")
    if above is not None and candidate.amount > above:
        return NeedsApproval("four_eyes", f"more than {above} base units needs two people")
    return Admit()


def _broken(candidate: Candidate, limits: Limits, used: Used) -> tuple[str, str] | None:
    """The rule that is broken, and why; None if there is none."""
    amount = candidate.amount
    by_account = used.by_account.get(candidate.account, 0)
    if candidate.denied:
        return "deny_list", "the account is on the deny list"
    if limits.allow_listed_only and not candidate.allowed:
        return "allow_list", "the account is not on the allow list"
    if not candidate.known:
        return "kyc", "the chain's registry does not know the account"
    if limits.per_request is not None and amount > limits.per_request:
        return "per_request_cap", f"more than {limits.per_request} base units at once"
    if limits.per_address_daily is not None and by_account + amount > limits.per_address_daily:
        return "address_cap", f"more than {limits.per_address_daily} base units a day"
    if limits.daily is not None and used.in_all + amount > limits.daily:
        return "daily_cap", f"more than {limits.daily} base units a day on this chain"
    return None
