"""A record has one way to be written, and only what may stand in it is read."""

import struct
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.receipts import Receipt
from batches.records import (
    BPS,
    MAX_LOTS,
    MAX_TICKS,
    NO_HEADER,
    Fill,
    Header,
    Leaf,
    Malformed,
    Order,
    OrderType,
    Side,
    TimeInForce,
)
from batches.tests.making import MARKET, leaf, order

keys = st.binary(min_size=32, max_size=32)
u16, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))

orders = st.builds(
    Order,
    market=keys,
    owner=keys,
    nonce=u64,
    side=st.sampled_from(Side),
    type=st.sampled_from(OrderType),
    time_in_force=st.sampled_from(TimeInForce),
    max_fee_bps=st.integers(0, BPS),
    limit=st.integers(1, 2**63 - 1),
    quantity=st.integers(1, MAX_LOTS),
    expiry_slot=st.integers(2**32, 2**64 - 1),
    from_slot=u32,
)
leaves = st.builds(
    Leaf,
    order=orders,
    signature=st.binary(min_size=64, max_size=64),
    remaining=u64,
    age=u32,
    receipt_seq=u32,
)
headers = st.builds(
    Header,
    market=keys,
    batch_no=st.integers(1, 2**64 - 1),
    target_slot=st.integers(2**32, 2**64 - 1),
    cutoff_slot=u32,
    count=u32,
    last_seq=u32,
    ticks=st.integers(1, MAX_TICKS),
    first_tick=st.integers(1, 2**63 - 1),
    tick=st.integers(1, 2**64 - 1),
    lot=st.integers(1, 2**64 - 1),
    reference=st.integers(1, 2**63 - 1),
    collar_bps=st.integers(0, BPS),
    follows=st.just(0),
    fee_bps=st.integers(0, BPS),
    pool_fee_bps=st.integers(0, BPS - 1),
    pool_base=st.integers(1, 2**64 - 1),
    pool_quote=st.integers(1, 2**64 - 1),
    previous=keys,
    root=keys,
)
receipts = st.builds(Receipt, keys, keys, u32, u64, u64, keys)
fills = st.builds(Fill, keys, u64, u64, u64, u64)

HEADER = Header(
    MARKET, 7, 120, 116, 0, 0, 4096, 1, 5, 100, 9, 500, 6, 30, 25, 0, 0, NO_HEADER, bytes(32)
)


@given(orders, leaves, headers, receipts, fills)
def test_what_is_written_is_read_back(
    order: Order, leaf: Leaf, header: Header, receipt: Receipt, fill: Fill
) -> None:
    assert Order.parse(bytes(order)) == order
    assert Leaf.parse(bytes(leaf)) == leaf
    assert Header.parse(bytes(header)) == header
    assert Receipt.parse(bytes(receipt)) == receipt
    assert Fill.parse(bytes(fill)) == fill


def test_an_order_has_the_128_bytes_that_the_format_names() -> None:
    written = bytes(order(nonce=0x0102, side=Side.SELL, limit=258, quantity=3))
    assert len(written) == 128
    assert written[:16] == b"fairlane.order.1"
    assert written[16:48] == MARKET
    assert written[80:88] == bytes([2, 1, 0, 0, 0, 0, 0, 0])
    assert written[88:92] == bytes([1, 0, 0, 0])
    assert written[92:96] == struct.pack("<HH", 30, 0)
    assert written[96:] == struct.pack("<qQQQ", 258, 3, 9_000, 0)
    assert order(nonce=0x0102, side=Side.SELL, limit=258, quantity=3).hash == (
        sha256(b"\x02" + written).digest()
    )


def test_a_leaf_has_208_bytes_and_ends_with_what_earlier_batches_left() -> None:
    written = bytes(leaf(remaining=4, age=2, receipt_seq=9))
    assert len(written) == 208
    assert written[192:] == struct.pack("<QII", 4, 2, 9)


@pytest.mark.parametrize(
    ("field", "at", "value"),
    [
        ("domain", 0, b"F"),
        ("side", 88, b"\x02"),
        ("type", 89, b"\x02"),
        ("time_in_force", 90, b"\x02"),
        ("flags", 91, b"\x01"),
        ("max_fee_bps", 92, struct.pack("<H", BPS + 1)),
        ("pad", 94, b"\x01"),
        ("limit", 96, bytes(8)),
        ("limit", 96, struct.pack("<q", -1)),
        ("quantity", 104, bytes(8)),
        ("quantity", 104, struct.pack("<Q", MAX_LOTS + 1)),
        ("from_slot", 120, struct.pack("<Q", 9_001)),
    ],
)
def test_bytes_that_are_no_order_are_refused_by_field(field: str, at: int, value: bytes) -> None:
    written = bytearray(bytes(order()))
    written[at : at + len(value)] = value
    with pytest.raises(Malformed) as refusal:
        Order.parse(bytes(written))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("field", "at", "value"),
    [
        ("domain", 0, b"F"),
        ("cutoff_slot", 64, struct.pack("<Q", 120)),
        ("ticks", 80, bytes(4)),
        ("ticks", 80, struct.pack("<I", MAX_TICKS + 1)),
        ("first_tick", 84, bytes(8)),
        ("tick", 92, bytes(8)),
        ("lot", 100, bytes(8)),
        ("reference", 108, bytes(8)),
        ("collar_bps", 116, struct.pack("<H", BPS + 1)),
        ("follows", 118, struct.pack("<Q", 7)),
        ("fee_bps", 126, struct.pack("<H", BPS + 1)),
        ("fee_bps", 128, struct.pack("<H", BPS)),
        ("pool_base", 130, b"\x01"),
    ],
)
def test_bytes_that_are_no_header_are_refused_by_field(field: str, at: int, value: bytes) -> None:
    written = bytearray(bytes(HEADER))
    written[at : at + len(value)] = value
    with pytest.raises(Malformed) as refusal:
        Header.parse(bytes(written))
    assert refusal.value.field == field


@pytest.mark.parametrize("kind", [Order, Leaf, Header, Receipt, Fill])
def test_a_record_of_another_length_is_refused(kind: type[Order]) -> None:
    with pytest.raises(Malformed):
        kind.parse(bytes(11))


def test_a_key_of_another_length_or_a_number_too_large_is_not_written() -> None:
    for wrong in (order(market=bytes(31)), order(market=bytes(33)), order(nonce=2**64)):
        with pytest.raises(Malformed):
            bytes(wrong)


def test_only_the_owner_signs_and_only_these_bytes() -> None:
    mine = leaf(owner=0)
    assert mine.is_signed()
    assert not Leaf(order(owner=1), mine.signature, 10, 0, 1).is_signed()
    assert not Leaf(order(owner=0, nonce=2), mine.signature, 10, 0, 1).is_signed()
