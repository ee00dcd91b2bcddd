"""What clearing reads of the orders that a batch has committed to."""

import pytest
from django.db import transaction

from batches.coordination.executing import _held
from batches.tests import rows

AMOUNTS = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]


@pytest.mark.django_db
def test_each_batch_has_its_open_orders_by_their_hashes_with_any_amount() -> None:
    market = rows.market()
    full, empty = rows.batch(market, 7, "COMMITTED"), rows.batch(market, 8, "COMMITTED")
    held = [rows.order(market, batch_id=full.id, escrow_left=amount) for amount in AMOUNTS]
    rows.order(market, batch_id=full.id, status="CANCELLED")
    rows.order(market)
    with transaction.atomic():
        found = _held([full, empty])
    expected = sorted(held, key=lambda order: bytes(order.hash))
    assert [each.tobytes() for each in found[full.id].ids] == [o.id.bytes for o in expected]
    assert found[full.id].hashes == b"".join(bytes(order.hash) for order in expected)
    assert found[full.id].escrow_left.tolist() == [order.escrow_left for order in expected]
    nothing = found[empty.id]
    assert (len(nothing.ids), nothing.hashes, len(nothing.escrow_left)) == (0, b"", 0)
