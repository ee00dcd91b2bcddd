"""Decimal text at the edge, integers of base units inside."""

from decimal import Context, Decimal

# The SPL token programs hold amounts in 64 bits.
MAX_TOKEN_AMOUNT = 2**64 - 1

# Wide enough that no amount is ever rounded: 20 digits of u64 and the decimals around them.
_EXACT = Context(prec=120)


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
    exponent = amount.normalize(_EXACT).as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > decimals:
        raise AmountError("too_many_decimals", f"has more than {decimals} decimals")
    units = int(amount.scaleb(decimals, _EXACT))
    if units > MAX_TOKEN_AMOUNT:
        raise AmountError("too_large", "is more than the token can hold")
    return units


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
