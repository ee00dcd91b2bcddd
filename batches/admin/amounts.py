"""Amounts as people read them."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from batches.models import Market
from orders.amounts import to_text


def atoms(its: Market, mint: str, amount: int) -> str:
    """Atoms of one of the market's mints: 1.5 SOL."""
    if mint == its.base_mint:
        return f"{to_text(int(amount), its.base_decimals)} {its.base_symbol}"
    return f"{to_text(int(amount), its.quote_decimals)} {its.quote_symbol}"


def lots(its: Market, count: int) -> str:
    """Lots in base tokens."""
    return atoms(its, its.base_mint, count * its.lot)


def quote(its: Market, amount: int) -> str:
    """Quote atoms in tokens."""
    return atoms(its, its.quote_mint, amount)


def with_token(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows of a mint with its `symbol` and `decimals`, as some market has them."""
    as_base = Market.objects.filter(base_mint=OuterRef("mint"))
    as_quote = Market.objects.filter(quote_mint=OuterRef("mint"))
    found: QuerySet[Any] = rows.annotate(
        **{
            name: Coalesce(
                Subquery(as_base.values(f"base_{name}")[:1]),
                Subquery(as_quote.values(f"quote_{name}")[:1]),
            )
            for name in ("symbol", "decimals")
        }
    )
    return found
