"""Fees and signatures."""

import copy
import pickle

import eth_account
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import Definitive
from chains.evm.fees import Fees, bumped, initial
from chains.evm.transactions import RelayerKey, sign

SECRET = "0x" + "4c" * 32
TO = to_checksum_address("0x742d35cc6634c0532925a3b8d8c9c9b6c6c8c8c8")
GWEI = 10**9
wei = st.integers(0, 10**13)


def test_the_first_offer_stands_a_base_fee_that_doubles() -> None:
    assert initial(10, 3, cap=100) == Fees(23, 3)


@given(wei, wei, wei)
def test_no_offer_is_above_the_cap(base_fee: int, priority_fee: int, cap: int) -> None:
    fees = initial(base_fee, priority_fee, cap=cap)
    assert 0 <= fees.priority_fee <= fees.max_fee <= cap


@given(wei, wei, wei, wei, wei)
def test_a_bump_is_enough_for_every_node_or_none(
    base_then: int, tip_then: int, base_now: int, tip_now: int, cap: int
) -> None:
    fees = initial(base_then, tip_then, cap=cap)
    higher = bumped(fees, base_now, tip_now, cap=cap)
    assert higher.priority_fee <= higher.max_fee <= cap
    if higher == fees:
        assert fees.max_fee + 1 > cap or fees.max_fee * 113 > cap * 100
        return
    # Nodes ask for 10 % more of both, rounded up or down.
    assert higher.max_fee * 100 >= fees.max_fee * 110
    assert higher.priority_fee * 100 >= fees.priority_fee * 110
    assert higher.max_fee > fees.max_fee
    assert higher.priority_fee > fees.priority_fee
    market = initial(base_now, tip_now, cap=cap)
    assert higher.max_fee >= market.max_fee
    assert higher.priority_fee >= market.priority_fee


def test_a_bump_follows_the_market() -> None:
    assert bumped(Fees(100, 10), 200, 50, cap=1_000) == Fees(450, 50)
    assert bumped(Fees(100, 10), 1, 1, cap=1_000) == Fees(113, 12)


def test_fees_at_the_cap_stay() -> None:
    assert bumped(Fees(95, 10), 500, 50, cap=100) == Fees(95, 10)


def test_a_signed_transaction_is_the_senders() -> None:
    key = RelayerKey.parse(SECRET)
    signed = sign(
        key, chain_id=5920, nonce=7, to=TO, data=b"\x01", gas=50_000, fees=Fees(3 * GWEI, GWEI)
    )
    assert eth_account.Account.recover_transaction(signed.raw) == key.address
    assert signed.raw[0] == 2
    again = sign(
        key, chain_id=5920, nonce=7, to=TO, data=b"\x01", gas=50_000, fees=Fees(3 * GWEI, GWEI)
    )
    assert again == signed


@pytest.mark.parametrize("text", ["", "0x12", SECRET + "0", "4z" * 32, "0x" + "0" * 64, "f" * 64])
def test_what_is_no_key_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(Definitive) as caught:
        RelayerKey.parse(text)
    assert not text or text not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_key_may_come_with_and_without_0x() -> None:
    assert RelayerKey.parse(SECRET).address == RelayerKey.parse(SECRET[2:]).address


def test_nothing_shows_a_key() -> None:
    key = RelayerKey.parse(SECRET)
    for text in (repr(key), str(key), f"{key}", repr([key]), repr(vars(key))):
        assert "4c4c4c4c" not in text.lower()
        assert "LLLL" not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)
