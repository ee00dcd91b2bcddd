"""Columns hold what the records hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.leaves import Leaves
from batches.records import LEAF_SIZE, Leaf, Malformed, OrderType, Side, TimeInForce
from batches.tests.making import order

numbers = st.integers(1, 2**53 - 1)
leaves = st.lists(
    st.builds(
        lambda owner, age, seq, **changes: Leaf(
            order(owner, **changes), bytes(64), changes["quantity"], age, seq
        ),
        st.integers(0, 3),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        nonce=st.integers(0, 2**64 - 1),
        side=st.sampled_from(Side),
        type=st.sampled_from(OrderType),
        time_in_force=st.sampled_from(TimeInForce),
        limit=st.integers(1, 2**63 - 1),
        quantity=numbers,
    )
)


@given(leaves)
def test_columns_are_the_fields_of_the_records(records: list[Leaf]) -> None:
    columns = Leaves.of(records)
    assert len(columns) == len(records)
    for name in ("side", "type", "time_in_force", "limit", "quantity"):
        fields = [getattr(leaf.order, name) for leaf in records]
        assert columns.column(name).tolist() == fields
    for name in ("remaining", "age", "receipt_seq"):
        assert columns.column(name).tolist() == [getattr(leaf, name) for leaf in records]
    assert columns.owners() == [leaf.order.owner for leaf in records]
    assert columns.hashes() == [leaf.order.hash for leaf in records]


def test_bytes_that_are_no_leaves_are_refused() -> None:
    with pytest.raises(Malformed):
        Leaves(bytes(LEAF_SIZE + 1))
