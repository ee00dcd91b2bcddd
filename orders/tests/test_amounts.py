from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.amounts import MAX_TOKEN_AMOUNT, AmountError, price_text, to_base_units, to_text

decimals = st.integers(0, 18)
units = st.integers(1, MAX_TOKEN_AMOUNT)


@given(units, decimals)
def test_an_amount_survives_the_way_to_text_and_back(amount: int, scale: int) -> None:
    assert to_base_units(Decimal(to_text(amount, scale)), scale) == amount


@given(units, decimals)
def test_text_is_plain_and_exact(amount: int, scale: int) -> None:
    text = to_text(amount, scale)
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))
    assert Decimal(text).scaleb(scale) == amount


@given(units, decimals)
def test_a_negative_change_reads_like_its_amount(amount: int, scale: int) -> None:
    assert to_text(-amount, scale) == f"-{to_text(amount, scale)}"


@given(st.decimals(allow_nan=False, allow_infinity=False), decimals)
def test_an_amount_is_exact_or_refused(amount: Decimal, scale: int) -> None:
    try:
        result = to_base_units(amount, scale)
    except AmountError:
        return
    assert Decimal(result) == amount.scaleb(scale)
    assert 1 <= result <= MAX_TOKEN_AMOUNT


@pytest.mark.parametrize(
    ("text", "scale", "code"),
    [
        ("NaN", 6, "invalid"),
        ("sNaN", 6, "invalid"),
        ("Infinity", 6, "invalid"),
        ("-Infinity", 6, "invalid"),
        ("0", 6, "not_positive"),
        ("-0", 6, "not_positive"),
        ("0e5", 6, "not_positive"),
        ("-1", 6, "not_positive"),
        ("-1e-30", 6, "not_positive"),
        ("1e-9", 6, "too_many_decimals"),
        ("0.0000001", 6, "too_many_decimals"),
        ("1.0000001", 6, "too_many_decimals"),
        ("1.5", 0, "too_many_decimals"),
        ("1e-999999", 18, "too_many_decimals"),
        ("18446744073709.551616", 6, "too_large"),
        ("18446744073709551616", 0, "too_large"),
        ("1e21", 0, "too_large"),
        ("1e999999", 0, "too_large"),
    ],
)
def test_what_a_token_cannot_express_is_refused(text: str, scale: int, code: str) -> None:
    with pytest.raises(AmountError) as refused:
        to_base_units(Decimal(text), scale)
    assert refused.value.code == code


@pytest.mark.parametrize("zeros", [110, 150, 5_000])
def test_a_digit_far_behind_the_point_is_not_rounded_away(zeros: int) -> None:
    with pytest.raises(AmountError) as refused:
        to_base_units(Decimal(f"1.{'0' * zeros}1"), 9)
    assert refused.value.code == "too_many_decimals"


@pytest.mark.parametrize(
    ("text", "scale", "amount"),
    [
        ("1e-9", 9, 1),
        ("1.500000000", 9, 1_500_000_000),
        ("1.50000000000", 9, 1_500_000_000),
        ("1E3", 6, 1_000_000_000),
        ("18446744073709.551615", 6, MAX_TOKEN_AMOUNT),
        ("18446744073709551615", 0, MAX_TOKEN_AMOUNT),
        (f"1.{'0' * 200}", 6, 1_000_000),
    ],
)
def test_what_a_token_can_express_is_taken_exactly(text: str, scale: int, amount: int) -> None:
    assert to_base_units(Decimal(text), scale) == amount


@pytest.mark.parametrize(
    ("output", "spent", "price"),
    [
        ((160_000_000, 6), (10**9, 9), "160"),
        ((1, 6), (3, 6), "0.333333333333"),
        ((2, 6), (3, 6), "0.666666666667"),
        ((8_000_000_000_000, 5), (10**6, 6), "80000000"),
        ((1, 9), (10**15, 5), "0.0000000000000000001"),
        ((1, 6), (0, 6), ""),
    ],
)
def test_a_price_is_plain_text_of_twelve_digits(
    output: tuple[int, int], spent: tuple[int, int], price: str
) -> None:
    assert price_text(*output, *spent) == price


@given(units, decimals, units, decimals)
def test_a_price_is_the_ratio_of_both_amounts(
    output: int, output_scale: int, spent: int, spent_scale: int
) -> None:
    price = Decimal(price_text(output, output_scale, spent, spent_scale))
    exact = Decimal(output).scaleb(-output_scale) / Decimal(spent).scaleb(-spent_scale)
    assert abs(price - exact) <= exact * Decimal("1e-11")
