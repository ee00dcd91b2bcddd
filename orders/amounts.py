"""Decimal text at the edge, integers of base units inside."""

from decimal import Context, Decimal, Inexact, InvalidOperation

# The SPL token programs hold amounts in 64 bits.
MAX_TOKEN_AMOUNT = 2**64 - 1

# Wide enough for every amount there is: 20 digits of u64 and the decimals around them. What is
# finer than that is refused, never rounded.
_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])


class AmountError(ValueError):
    """An amount that the token cannot express; ``code`` tells why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def to_base_units(amount: Decimal, decimals: int) -> int:
    """Base units of a decimal amount, exactly.

    Raises:
        AmountError: not finite, not positive, finer than the token's unit, or over its range.
    """
    if not amount.is_finite():
        raise AmountError("invalid", "must be a finite number")
    if amount <= 0:
        raise AmountError("not_positive", "must be more than 0")
    # Looked at before scaling, so that an exponent of a million is answered, not computed.
    if amount.adjusted() > 20:
        raise AmountError("too_large", "is more than the token can hold")
    if _decimals_of(amount) > decimals:
        raise AmountError("too_many_decimals", f"has more than {decimals} decimals")
    units = int(amount.scaleb(decimals, _EXACT))
    if units > MAX_TOKEN_AMOUNT:
        raise AmountError("too_large", "is more than the token can hold")
    return units


def _decimals_of(amount: Decimal) -> int:
    """Digits behind the point, less trailing zeros; negative where zeros stand before it."""
    try:
        exponent = amount.normalize(_EXACT).as_tuple().exponent
    except Inexact:
        return _EXACT.prec
    assert isinstance(exponent, int)
    return -exponent


def to_text(units: int, decimals: int) -> str:
    """Plain decimal text of an amount of base units, without trailing zeros."""
    if decimals == 0:
        return str(units)
    sign, digits = ("-", -units) if units < 0 else ("", units)
    whole, fraction = divmod(digits, 10**decimals)
    text = f"{fraction:0{decimals}d}".rstrip("0")
    return f"{sign}{whole}.{text}" if text else f"{sign}{whole}"


def price_text(output: int, output_decimals: int, spent: int, input_decimals: int) -> str:
    """Output tokens per input token, to 12 significant digits, rounded half to even."""
    if not spent:
        return ""
    ratio = Context(prec=12).divide(
        Decimal(output).scaleb(-output_decimals, _EXACT),
        Decimal(spent).scaleb(-input_decimals, _EXACT),
    )
    return f"{ratio:f}"
