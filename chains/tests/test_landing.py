from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chains.ports import SignatureStatus
from chains.solana.landing import (
    RESEND_EVERY,
    Confirmed,
    Decision,
    Expired,
    Failed,
    Resend,
    Wait,
    decide,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)

heights = st.integers(0, 2**40)
errs = st.sampled_from([None, "AccountInUse", {"InstructionError": [0, {"Custom": 1}]}])
statuses = st.builds(
    SignatureStatus,
    slot=heights,
    confirmation=st.sampled_from(["processed", "confirmed", "finalized"]),
    err=errs,
)
sent = st.none() | st.integers(0, 600).map(lambda seconds: NOW - timedelta(seconds=seconds))


def decision(
    status: SignatureStatus | None,
    *,
    finalized: int = 100,
    last_valid: int = 150,
    sent_at: datetime | None = NOW,
    first_available: int = 0,
    first_slot: int = 0,
) -> Decision:
    return decide(
        status=status,
        finalized_height=finalized,
        first_available=first_available,
        first_slot=first_slot,
        last_valid_block_height=last_valid,
        last_sent_at=sent_at,
        now=NOW,
    )


@given(status=statuses, finalized=heights, last_valid=heights, sent_at=sent)
def test_a_known_signature_never_expires(
    status: SignatureStatus, finalized: int, last_valid: int, sent_at: datetime | None
) -> None:
    result = decision(status, finalized=finalized, last_valid=last_valid, sent_at=sent_at)
    if status.confirmation == "processed":
        assert result == Wait()
    elif status.err is None:
        assert result == Confirmed(status.slot)
    else:
        assert result == Failed(status.slot, status.err)


@given(finalized=heights, last_valid=heights, sent_at=sent)
def test_an_unknown_signature_expires_exactly_when_the_finalized_height_is_past_its_last(
    finalized: int, last_valid: int, sent_at: datetime | None
) -> None:
    result = decision(None, finalized=finalized, last_valid=last_valid, sent_at=sent_at)
    assert (result == Expired()) is (finalized > last_valid)


@given(finalized=heights, ahead=st.integers(0, 1000), sent_at=sent)
def test_an_attempt_that_may_still_land_is_resent_or_waited_for(
    finalized: int, ahead: int, sent_at: datetime | None
) -> None:
    result = decision(None, finalized=finalized, last_valid=finalized + ahead, sent_at=sent_at)
    due = sent_at is None or NOW - sent_at >= RESEND_EVERY
    assert result == (Resend() if due else Wait())


@given(begin=heights, first_slot=heights, sent_at=sent)
def test_a_history_that_begins_after_the_attempt_proves_no_expiry(
    begin: int, first_slot: int, sent_at: datetime | None
) -> None:
    result = decision(
        None, finalized=151, sent_at=sent_at, first_available=begin, first_slot=first_slot
    )
    assert result == (Expired() if begin <= first_slot else Wait())


def test_the_last_valid_height_itself_is_still_valid() -> None:
    assert decision(None, finalized=150, last_valid=150) == Wait()
    assert decision(None, finalized=151, last_valid=150) == Expired()


def test_a_processed_error_is_waited_for_since_its_fork_may_die() -> None:
    status = SignatureStatus(7, "processed", "AccountInUse")
    assert decision(status, finalized=10_000) == Wait()
