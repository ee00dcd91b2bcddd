import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.makers.chance import draw, walk_ppm
from sandbox.services.makers.pricing import (
    MAKER_AMPLITUDE_PPM,
    MARKET_AMPLITUDE_PPM,
    Curve,
    Price,
    Token,
    load_tokens,
)

SOL = Token("SOL", "sol", 9, False, 160 * 10**12)
USDC = Token("USDC", "usdc", 6, False, 10**12)
TOKENS = {token.mint: token for token in (SOL, USDC)}
RAYDIUM = Curve(maker="raydium", seed=1, fee_bps=30, depth_usd=5_000_000)
METEORA = Curve(maker="meteora", seed=1, fee_bps=20, depth_usd=5_000_000)

amounts = st.integers(1, 2**64 - 1)
reserves = st.integers(1, 2**80)


def out(curve: Curve, amount_in: int, *, now_ms: int) -> int:
    """What `curve` pays in USDC for SOL."""
    held = curve.reserves(TOKENS, now_ms=now_ms)
    price = curve.price(amount_in, reserve_in=held[SOL.mint], reserve_out=held[USDC.mint])
    return price.amount_out


@given(amount=amounts, reserve_in=reserves, reserve_out=reserves, fee_bps=st.integers(0, 10_000))
def test_a_price_is_rounded_by_less_than_one_unit_in_the_makers_favour(
    amount: int, reserve_in: int, reserve_out: int, fee_bps: int
) -> None:
    curve = Curve(maker="m", seed=0, fee_bps=fee_bps, depth_usd=1)
    price = curve.price(amount, reserve_in=reserve_in, reserve_out=reserve_out)
    gross = Fraction(reserve_out * amount, reserve_in + amount)
    exact = gross * (10_000 - fee_bps) / 10_000
    assert 0 <= exact - price.amount_out < 1
    assert price.amount_out + price.fee_amount == int(gross)
    assert price.fee_amount >= 0
    assert 0 <= price.impact_bps - Fraction(amount * 10_000, reserve_in + amount) < 1


@given(first=amounts, second=amounts)
def test_a_larger_trade_pays_no_better_price(first: int, second: int) -> None:
    small, large = sorted((first, second))
    paid = [RAYDIUM.price(x, reserve_in=10**15, reserve_out=10**13) for x in (small, large)]
    # One unit of rounding apart.
    assert paid[1].amount_out * small <= (paid[0].amount_out + 1) * large
    assert paid[0].impact_bps <= paid[1].impact_bps


def test_a_price_is_a_function_of_seed_and_time_alone() -> None:
    assert out(RAYDIUM, 10**9, now_ms=1_000_000) == out(RAYDIUM, 10**9, now_ms=1_000_000)
    other = Curve(maker="raydium", seed=2, fee_bps=30, depth_usd=5_000_000)
    assert out(RAYDIUM, 10**9, now_ms=1_000_000) != out(other, 10**9, now_ms=1_000_000)


def test_prices_move_and_makers_are_a_few_per_cent_apart() -> None:
    moments = range(0, 3_600_000, 5_000)
    prices = [out(RAYDIUM, 10**9, now_ms=moment) for moment in moments]
    assert len(set(prices)) > len(prices) * 0.9
    reach = 2 * (MARKET_AMPLITUDE_PPM + MAKER_AMPLITUDE_PPM) / 1_000_000
    assert all(abs(price / 160_000_000 - 1) < reach + 0.005 for price in prices)
    apart = [
        abs(p / out(METEORA, 10**9, now_ms=m) - 1) for p, m in zip(prices, moments, strict=True)
    ]
    assert 0.005 < sum(apart) / len(apart) < 0.03
    assert 0.02 < max(apart) < 0.07


def test_both_makers_are_sometimes_the_better_one() -> None:
    moments = range(0, 3_600_000, 20_000)
    wins = sum(out(METEORA, 10**9, now_ms=m) > out(RAYDIUM, 10**9, now_ms=m) for m in moments)
    assert len(moments) * 0.3 < wins < len(moments) * 0.8


@given(now_ms=st.integers(0, 2**45))
def test_a_round_trip_with_one_maker_earns_nothing(now_ms: int) -> None:
    held = RAYDIUM.reserves(TOKENS, now_ms=now_ms)
    sol, usdc = held[SOL.mint], held[USDC.mint]
    there = RAYDIUM.price(10**9, reserve_in=sol, reserve_out=usdc).amount_out
    back = RAYDIUM.price(there, reserve_in=usdc, reserve_out=sol).amount_out
    assert back < 10**9


@given(seed=st.integers(0, 2**32), now_ms=st.integers(0, 2**45), amplitude=st.integers(0, 10**6))
def test_a_walk_stays_in_its_bounds_and_has_no_jumps(
    seed: int, now_ms: int, amplitude: int
) -> None:
    walk = [
        walk_ppm(seed, "x", now_ms=now_ms + ms, amplitude_ppm=amplitude, period_ms=1000)
        for ms in (0, 1)
    ]
    assert all(-amplitude <= ppm <= amplitude for ppm in walk)
    assert abs(walk[0] - walk[1]) <= 2 * amplitude / 1000 + 1


def test_chance_is_uniform_and_repeats_itself() -> None:
    draws = [draw(7, f"subject {n}", 1000) for n in range(10_000)]
    assert 490 < sum(draws) / len(draws) < 510
    assert draws[:3] == [draw(7, f"subject {n}", 1000) for n in range(3)]
    assert draws[0] != draw(8, "subject 0", 1000) or draws[1] != draw(8, "subject 1", 1000)


def test_the_markets_file_names_the_tokens(tmp_path: Path) -> None:
    path = tmp_path / "markets.json"
    entry = {"symbol": "BONK", "mint": "bonk", "decimals": 5, "token2022": False, "usd": "0.00002"}
    path.write_text(json.dumps({"tokens": [entry]}))
    assert load_tokens(path) == {"bonk": Token("BONK", "bonk", 5, False, 20_000_000)}


@pytest.mark.parametrize(
    ("fee_bps", "price"),
    [(0, Price(1998, 0, 10)), (20, Price(1994, 4, 10)), (30, Price(1992, 6, 10))],
)
def test_a_price_by_hand(fee_bps: int, price: Price) -> None:
    """2,000,000 × 1,000 ÷ 1,001,000 = 1998.002 before the fee; 1,000 is 9.99 bps of 1,001,000."""
    curve = Curve(maker="m", seed=0, fee_bps=fee_bps, depth_usd=1)
    assert curve.price(1000, reserve_in=1_000_000, reserve_out=2_000_000) == price
