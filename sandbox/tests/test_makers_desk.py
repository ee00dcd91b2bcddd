from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from chains.solana import swap
from sandbox.services.makers import desk as desk_module
from sandbox.services.makers.desk import ANSWER_TTL_MS, QUOTE_TTL_MS, Desk
from sandbox.services.makers.inspection import message_of
from sandbox.services.makers.knobs import Knobs
from sandbox.services.makers.pricing import Curve, Token

NOW = 1_800_000_000_000
MAKER, TAKER = Keypair(), Keypair()
SOL = Token("SOL", str(Pubkey.new_unique()), 9, False, 160 * 10**12)
USDC = Token("USDC", str(Pubkey.new_unique()), 6, False, 10**12)
INSTANT = Knobs(quote_delay_ms=0, execution_delay_ms=0, failure_rate=0.0, slippage_bps=0)


def a_desk(knobs: Knobs = INSTANT, *, depth_usd: int = 5_000_000, seed: int = 1) -> Desk:
    desk = Desk(
        keypair=MAKER,
        curve=Curve(maker="raydium", seed=seed, fee_bps=30, depth_usd=depth_usd),
        tokens={SOL.mint: SOL, USDC.mint: USDC},
        knobs=knobs,
    )
    desk.inventory = {SOL.mint: 10**15, USDC.mint: 10**15}
    return desk


def request(amount: int = 10**9, **changes: Any) -> dict[str, Any]:
    item = {"requestId": "r", "inputMint": SOL.mint, "outputMint": USDC.mint}
    return item | {"amountIn": str(amount)} | changes


def quoted(desk: Desk, amount: int = 10**9, *, now_ms: int = NOW) -> dict[str, Any]:
    (answer,) = desk.quote([request(amount)], now_ms=now_ms)
    assert "error" not in answer, answer
    return answer


def signing(
    quote: dict[str, Any],
    *,
    reference: str = "order",
    min_amount_out: int | None = None,
    amount_in: int = 10**9,
) -> dict[str, str]:
    terms = swap.Swap(
        taker=str(TAKER.pubkey()),
        maker=quote["maker"],
        sell=swap.Token(SOL.mint, SOL.decimals),
        sell_amount=amount_in,
        buy=swap.Token(USDC.mint, USDC.decimals),
        buy_amount=int(quote["amountOut"]),
        reference=reference,
    )
    message = swap.build(terms, blockhash=str(Hash.default()))
    least = quote["amountOut"] if min_amount_out is None else str(min_amount_out)
    return {
        "quoteId": quote["quoteId"],
        "transaction": b64encode(swap.unsigned(message)).decode(),
        "minAmountOut": least,
    }


def ask(desk: Desk, item: Any, *, now_ms: int = NOW) -> Any:
    (answer,) = desk.sign([item], now_ms=now_ms)
    return answer


def test_a_quote_is_firm_for_its_lifetime() -> None:
    desk = a_desk()
    quote = quoted(desk)
    assert quote["expiresAt"] == NOW + QUOTE_TTL_MS
    assert quote["maker"] == str(MAKER.pubkey())
    assert quote["feeBps"] == 30
    assert 150_000_000 < int(quote["amountOut"]) < 170_000_000
    assert ask(desk, signing(quote), now_ms=NOW + QUOTE_TTL_MS - 1)["status"] == "signed"


def test_the_signature_is_the_makers_over_the_message() -> None:
    desk = a_desk()
    item = signing(quoted(desk))
    answer = ask(desk, item)
    message = message_of(item["transaction"])
    assert Signature.from_string(answer["signature"]).verify(MAKER.pubkey(), message)


def test_an_expired_quote_is_not_signed() -> None:
    desk = a_desk()
    answer = ask(desk, signing(quoted(desk)), now_ms=NOW + QUOTE_TTL_MS)
    assert (answer["status"], answer["code"]) == ("refused", "expired")


def test_a_restart_forgets_quotes() -> None:
    quote = quoted(a_desk())
    assert ask(a_desk(), signing(quote))["code"] == "expired"


def test_the_same_request_gets_the_same_answer() -> None:
    desk = a_desk()
    item = signing(quoted(desk))
    first = ask(desk, item)
    desk.knobs = replace(INSTANT, failure_rate=1.0)
    assert ask(desk, item, now_ms=NOW + ANSWER_TTL_MS - 1) == first


def test_a_quote_is_signed_for_one_message_only() -> None:
    desk = a_desk()
    quote = quoted(desk)
    ask(desk, signing(quote, reference="first"))
    answer = ask(desk, signing(quote, reference="second"))
    assert (answer["status"], answer["code"]) == ("refused", "quote_used")


def test_a_message_that_is_not_the_quoted_swap_leaves_the_quote_open() -> None:
    desk = a_desk()
    quote = quoted(desk)
    assert ask(desk, signing(quote, amount_in=10**9 - 1))["code"] == "invalid"
    assert ask(desk, signing(quote))["status"] == "signed"


def test_execution_takes_its_time_and_is_polled() -> None:
    desk = a_desk(replace(INSTANT, execution_delay_ms=2500))
    item = signing(quoted(desk))
    assert ask(desk, item) == {
        "quoteId": item["quoteId"],
        "status": "pending",
        "retryAfterMs": 2500,
    }
    assert ask(desk, item, now_ms=NOW + 2400)["retryAfterMs"] == 100
    assert ask(desk, item, now_ms=NOW + 2500)["status"] == "signed"


def test_execution_may_end_after_the_quote_has_expired() -> None:
    desk = a_desk(replace(INSTANT, execution_delay_ms=2500))
    item = signing(quoted(desk))
    assert ask(desk, item, now_ms=NOW + QUOTE_TTL_MS - 1)["status"] == "pending"
    assert ask(desk, item, now_ms=NOW + QUOTE_TTL_MS + 2500)["status"] == "signed"


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.5, 1.0])
def test_the_failure_rate_is_the_share_of_refused_quotes(rate: float) -> None:
    desk = a_desk(replace(INSTANT, failure_rate=rate))
    answers = [ask(desk, signing(quoted(desk))) for _ in range(1000)]
    failed = [answer for answer in answers if answer["status"] == "refused"]
    assert all(answer["code"] == "unavailable" for answer in failed)
    assert abs(len(failed) / 1000 - rate) < (0.06 if 0 < rate < 1 else 1e-9)


def test_the_price_falls_by_at_most_the_slippage() -> None:
    desk = a_desk(replace(INSTANT, slippage_bps=100))

    def refusals(tolerance_bps: int) -> int:
        refused = 0
        for _ in range(300):
            quote = quoted(desk)
            least = int(quote["amountOut"]) * (10_000 - tolerance_bps) // 10_000
            answer = ask(desk, signing(quote, min_amount_out=least))
            refused += answer["status"] == "refused" and answer["code"] == "slippage"
        return refused

    assert refusals(100) == 0
    assert 90 < refusals(50) < 210
    assert refusals(0) > 280


def test_more_than_was_quoted_is_never_paid() -> None:
    desk = a_desk()
    quote = quoted(desk)
    answer = ask(desk, signing(quote, min_amount_out=int(quote["amountOut"]) + 1))
    assert (answer["status"], answer["code"]) == ("refused", "slippage")


def test_no_more_is_quoted_than_the_curve_and_the_inventory_hold() -> None:
    desk = a_desk(depth_usd=1_000_000)

    def code(amount: int) -> Any:
        (answer,) = desk.quote([request(amount)], now_ms=NOW)
        return answer.get("error", {}).get("code")

    assert code(1000 * 10**9) is None
    assert code(6000 * 10**9) == "insufficient_liquidity"
    assert code(2**64 - 1) == "insufficient_liquidity"
    desk.inventory = {SOL.mint: 0, USDC.mint: 1_000_000}
    assert code(10**9) == "insufficient_liquidity"
    assert code(10**6) is None


def test_dust_that_buys_nothing_is_not_quoted() -> None:
    (answer,) = a_desk().quote([request(1)], now_ms=NOW)
    assert answer["error"]["code"] == "insufficient_liquidity"


def test_nothing_is_quoted_before_the_inventory_was_read() -> None:
    desk = a_desk()
    desk.inventory = None
    (answer,) = desk.quote([request()], now_ms=NOW)
    assert answer["error"]["code"] == "unavailable"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (None, "invalid"),
        ([], "invalid"),
        ({}, "invalid"),
        (request(requestId=1), "invalid"),
        (request(requestId="x" * 129), "invalid"),
        (request(amountIn=1000), "invalid"),
        (request(amountIn="-1"), "invalid"),
        (request(amountIn="0"), "invalid"),
        (request(amountIn="1e9"), "invalid"),
        (request(amountIn=str(2**64)), "invalid"),
        (request(inputMint="unheard of"), "unknown_pair"),
        (request(outputMint=None), "unknown_pair"),
        (request(outputMint=SOL.mint), "unknown_pair"),
    ],
)
def test_an_odd_quote_request_is_refused_and_harms_no_other(item: Any, code: str) -> None:
    refused, fine = a_desk().quote([item, request()], now_ms=NOW)
    assert refused["error"]["code"] == code
    assert "error" not in fine


def without(field: str) -> Callable[[dict[str, str]], Any]:
    return lambda item: {name: value for name, value in item.items() if name != field}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: None,
        lambda item: "text",
        without("quoteId"),
        without("transaction"),
        without("minAmountOut"),
        lambda item: item | {"transaction": 7},
        lambda item: item | {"transaction": "no base64!"},
        lambda item: item | {"transaction": ""},
        lambda item: item | {"transaction": "A" * 1700},
        lambda item: item | {"minAmountOut": 5},
        lambda item: item | {"minAmountOut": "-5"},
    ],
)
def test_an_odd_sign_request_is_refused(spoil: Callable[[dict[str, str]], Any]) -> None:
    desk = a_desk()
    answer = ask(desk, spoil(signing(quoted(desk))))
    assert (answer["status"], answer["code"]) == ("refused", "invalid")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MAX_QUOTES", 2)
    monkeypatch.setattr(desk_module, "MAX_SIGNINGS", 1)
    desk = a_desk()
    first, second = (signing(quoted(desk)) for _ in range(2))
    (refused,) = desk.quote([request()], now_ms=NOW)
    assert refused["error"]["code"] == "unavailable"
    assert ask(desk, first)["status"] == ask(desk, second)["status"] == "signed"
    assert ask(desk, first)["code"] == "expired"
    assert ask(desk, second)["status"] == "signed"
    quoted(desk)
    assert ask(desk, second, now_ms=NOW + ANSWER_TTL_MS)["code"] == "expired"
