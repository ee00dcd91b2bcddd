"""How much of a day's caps is used: counted at admission, given back by what fails."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from fairlane.core import arrays
from stablecoin.models import Chain, Usage

# The account under which a chain's sum stands.
ALL = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A part of the usage: ``wallet`` is an account, or ``ALL``."""

    chain_id: int
    kind: str
    wallet: str


def lock(chain_ids: Collection[int]) -> None:
    """Be the only one who admits on these chains until the transaction has ended."""
    list(Chain.objects.select_for_update(no_key=True).filter(chain_id__in=chain_ids))


def of(lines: Iterable[Line], day: date) -> dict[Line, int]:
    """What each line has used on that day; lines without usage are absent."""
    wanted = set(lines)
    rows = Usage.objects.filter(
        chain_id__in={line.chain_id for line in wanted},
        wallet__in={line.wallet for line in wanted},
        day=day,
    )
    found = {Line(row.chain_id, row.kind, row.wallet): int(row.amount) for row in rows}
    return {line: amount for line, amount in found.items() if line in wanted}


def add(amounts: Mapping[Line, int], day: date) -> None:
    """Count amounts, in one statement."""
    if not amounts:
        return
    lines = sorted(amounts, key=lambda line: (line.chain_id, line.kind, line.wallet))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stablecoin_usage AS u (chain_id, kind, day, wallet, amount)"
            " SELECT chain, kind, %s, wallet, amount FROM unnest("
            "%s::int[], %s::text[], %s::text[], %s::numeric[]) AS i(chain, kind, wallet, amount)"
            " ON CONFLICT (chain_id, kind, day, wallet)"
            " DO UPDATE SET amount = u.amount + excluded.amount",
            [
                day,
                arrays.literal(line.chain_id for line in lines),
                arrays.literal(line.kind for line in lines),
                arrays.literal(line.wallet for line in lines),
                arrays.literal(amounts[line] for line in lines),
            ],
        )


def give_back(ids: Collection[UUID]) -> None:
    """Uncount requests that came to nothing; one that is not counted (any more) is left alone.

    Call it in the transaction that ends them.
    """
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH counted AS (
                SELECT id, chain_id, kind, admitted_on, wallet, amount FROM stablecoin_request
                WHERE id = ANY(%s::uuid[]) AND admitted_on IS NOT NULL FOR UPDATE
            ), uncounted AS (
                UPDATE stablecoin_request r SET admitted_on = NULL FROM counted
                WHERE r.id = counted.id
            ), sums AS (
                SELECT chain_id, kind, admitted_on, who AS wallet, sum(amount) AS amount
                FROM counted CROSS JOIN LATERAL (VALUES (wallet), ('')) AS w(who)
                GROUP BY chain_id, kind, admitted_on, who
            )
            UPDATE stablecoin_usage u SET amount = u.amount - sums.amount FROM sums
            WHERE u.chain_id = sums.chain_id AND u.kind = sums.kind
                AND u.day = sums.admitted_on AND u.wallet = sums.wallet
            """,
            [arrays.literal(ids)],
        )
