"""Amounts as people read them."""

from decimal import Decimal, localcontext

DECIMALS = 18


def tokens(units: int | None) -> str:
    """Base units as tokens, exactly: 1,234.5."""
    if units is None:
        return ""
    with localcontext(prec=90):
        amount = Decimal(units).scaleb(-DECIMALS).normalize()
        return f"{amount:,f}"
