"""Frames of the compliance service."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stablecoin.kuro_events import MAX_FRAME_BYTES, Ignored, Malformed, MintApproved, parse

USER = "0x742d35cc6634c0532925a3b8d8c9c9b6c6c8c8c8"
FRAME: dict[str, Any] = {
    "requestId": "req-1",
    "user": USER,
    "amount": "1000000000000000000",
    "fiatRef": "bank 1",
    "timestamp": 1_795_000_000_000,
}


def test_an_approved_mint_is_read_with_its_defaults() -> None:
    found = parse(json.dumps(FRAME))
    assert isinstance(found, MintApproved)
    assert (found.request_id, found.amount, found.chain_id) == ("req-1", 10**18, 5920)
    assert found.user.lower() == USER


def test_type_and_chain_are_taken_where_they_are_there() -> None:
    found = parse(FRAME | {"type": "mintOk", "chainId": 5923})
    assert isinstance(found, MintApproved)
    assert found.chain_id == 5923


def test_what_is_about_the_connection_is_no_mint() -> None:
    assert parse('{"type":"connection","message":"hello"}') == Ignored()
    assert parse(FRAME | {"type": "heartbeat"}) == Ignored()


@pytest.mark.parametrize(
    "change",
    [
        {"requestId": ""},
        {"requestId": "x" * 129},
        {"requestId": " x"},
        {"requestId": "a\nb"},
        {"requestId": 7},
        {"user": "0x12"},
        {"user": "0x" + "0" * 40},
        {"user": "0x742d35Cc6634C0532925a3b8D8c9c9b6c6c8c8c8"},
        {"amount": "0"},
        {"amount": "01"},
        {"amount": "-1"},
        {"amount": "1.5"},
        {"amount": 1000},
        {"amount": str(2**256)},
        {"chainId": "5920"},
        {"chainId": True},
        {"fiatRef": 7},
        {"timestamp": 1_795_000_000},
        {"timestamp": "1795000000000"},
        {"type": 7},
    ],
)
def test_a_field_that_cannot_be_read_is_told(change: dict[str, Any]) -> None:
    found = parse(FRAME | change)
    assert isinstance(found, Malformed)
    assert found.reason.startswith(f"{next(iter(change))}:")


def test_a_name_that_occurs_twice_is_not_guessed_at() -> None:
    text = json.dumps(FRAME)[:-1] + ',"amount":"5"}'
    assert parse(text) == Malformed("a name occurs twice")


def test_what_is_too_long_is_not_read() -> None:
    assert isinstance(parse("[" * (MAX_FRAME_BYTES + 1)), Malformed)


@given(st.one_of(st.binary(), st.text(), st.from_regex(r"[\[{\"]{0,2000}")))
def test_nothing_that_comes_breaks_the_listener(frame: str | bytes) -> None:
    assert isinstance(parse(frame), Malformed | Ignored)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(FRAME)), inner),
    )
)
def test_no_value_breaks_it_either(value: object) -> None:
    parse(value)
