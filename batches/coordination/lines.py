"""The line of a market's batches: what each header points back to."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from batches.records import NO_HEADER, Header

_BEFORE = """
    SELECT m.id, last.header, coalesce(cleared.number, 0)
    FROM batches_market m
    JOIN LATERAL (
        SELECT header FROM batches_batch
        WHERE market_id = m.id AND number < %(number)s AND header IS NOT NULL
        ORDER BY number DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
        SELECT number FROM batches_batch
        WHERE market_id = m.id AND number < %(number)s AND status IN ('CLEARED', 'SETTLED')
        ORDER BY number DESC LIMIT 1
    ) cleared ON true
    WHERE m.id = ANY(%(markets)s)
"""


@dataclass(frozen=True, slots=True)
class Line:
    """Where a market's next batch follows on.

    Attributes:
        previous: the hash of the header before.
        follows: the number of the last batch that has cleared; the market's reference is out of it.
    """

    previous: bytes
    follows: int


FIRST = Line(NO_HEADER, 0)


def before(market_ids: Collection[int], number: int) -> dict[int, Line]:
    """The lines of markets up to a batch, for who holds their cadence and them; none where it is
    the first."""
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, {"markets": list(market_ids), "number": number})
        return {
            market: Line(Header.parse(bytes(header)).hash, follows)
            for market, header, follows in cursor.fetchall()
        }
