"""PostgreSQL reads from a binary COPY what the columns hold."""

from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from batches.coordination import copying

EDGES = [0, 1, 9_999, 10_000, 10**16, 2**63 - 1, 2**63, 2**64 - 1]


@pytest.mark.django_db
def test_every_number_arrives_as_it_was() -> None:
    ids = [UUID(int=number) for number in EDGES]
    small = np.array([min(number, 2**63 - 1) for number in EDGES], np.int64)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE arrived (id uuid, small bigint, amount numeric)")
        with cursor.copy("COPY arrived FROM STDIN (FORMAT BINARY)") as copy:
            for data in copying.rows(
                [
                    copying.uuids(np.frombuffer(b"".join(id_.bytes for id_ in ids), "V16")),
                    copying.bigints(-small),
                    copying.numerics(np.array(EDGES, object)),
                ]
            ):
                copy.write(data)
        cursor.execute("SELECT * FROM arrived ORDER BY id")
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE arrived")
    assert rows == [
        (id_, -int(number), Decimal(amount))
        for id_, number, amount in zip(ids, small, EDGES, strict=True)
    ]


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=2**64)))
def test_what_no_token_account_holds_is_refused(amount: int) -> None:
    with pytest.raises(OverflowError):
        copying.numerics(np.array([amount], object))


def test_what_is_below_zero_is_refused_in_64_bits_too() -> None:
    with pytest.raises(OverflowError):
        copying.numerics(np.array([5, -1], np.int64))
