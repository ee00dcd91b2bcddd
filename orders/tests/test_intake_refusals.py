"""What both doors for new orders refuse, alike, and that nothing is stored of it."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from fairlane.core import switches
from fairlane.core.rates import Rate
from orders import registry
from orders.models import Token, Wallet
from orders.tests.doors import (
    BULK,
    EXECUTE,
    GOOD,
    WAIT,
    Door,
    assert_nothing_stored,
    errors_of,
    post,
)
from orders.tests.factories import MINTS, WALLET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]

Bearer = Callable[..., dict[str, str]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": -Infinity}', "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"inputAmount": ' + b"9" * 5_000 + b"}", "malformed_json"),
        (b'{"inputAmount": 1e99999999999999999999}', "malformed_json"),
        (b"null", "invalid_request"),
        (b"[]", "invalid_request"),
        (b"7", "invalid_request"),
        (b'"order"', "invalid_request"),
        (b"{}", "invalid_request"),
    ],
)
@pytest.mark.parametrize("path", [EXECUTE, WAIT, BULK])
def test_a_body_that_is_no_order_is_a_400(
    body: bytes, code: str, path: str, door: Door, key: dict[str, str]
) -> None:
    answer = post(door, path, body, key, **{"Idempotency-Key": "k"})
    assert (answer.status, answer.body["code"]) == (400, code)
    errors_of(answer)
    assert_nothing_stored()


def test_no_body_is_a_400(door: Door, key: dict[str, str]) -> None:
    assert post(door, EXECUTE, b"", key).status == 400
    assert_nothing_stored()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x"])
def test_another_content_type_is_a_400(kind: str, door: Door, key: dict[str, str]) -> None:
    answer = post(door, EXECUTE, GOOD, key, **{"Content-Type": kind})
    assert (answer.status, answer.body["code"]) == (400, "wrong_content_type")
    assert_nothing_stored()


MISSING = object()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("userWallet", MISSING, "required"),
        ("userWallet", None, "invalid_type"),
        ("userWallet", 7, "invalid_type"),
        ("userWallet", "", "string_too_short"),
        ("userWallet", "x" * 65, "string_too_long"),
        ("userWallet", "not base58 0OIl", "invalid_address"),
        ("userWallet", "\x00", "invalid_address"),
        ("userWallet", WALLET[:-4], "invalid_address"),
        ("userWallet", MINTS["SOL"], "unknown_wallet"),
        ("inputToken", MISSING, "required"),
        ("inputToken", "DOGE", "unknown_token"),
        ("inputToken", "1" * 44, "unknown_token"),
        ("inputToken", "\x00" * 44, "unknown_token"),
        ("inputToken", "z" * 44, "unknown_token"),
        ("outputToken", "SOL", "same_token"),
        ("outputToken", MINTS["SOL"], "same_token"),
        ("outputToken", "sol", "same_token"),
        ("inputAmount", MISSING, "required"),
        ("inputAmount", "0", "not_positive"),
        ("inputAmount", 0, "not_positive"),
        ("inputAmount", -1, "not_positive"),
        ("inputAmount", "-0.5", "not_positive"),
        ("inputAmount", "abc", "value_error"),
        ("inputAmount", "", "value_error"),
        ("inputAmount", "1,5", "value_error"),
        ("inputAmount", " 1", "value_error"),
        ("inputAmount", "NaN", "value_error"),
        ("inputAmount", "Infinity", "value_error"),
        ("inputAmount", "1e99999", "value_error"),
        ("inputAmount", "١", "value_error"),
        ("inputAmount", True, "value_error"),
        ("inputAmount", None, "value_error"),
        ("inputAmount", [1], "value_error"),
        ("inputAmount", {"a": 1}, "value_error"),
        ("inputAmount", "1e-10", "too_many_decimals"),
        ("inputAmount", 1e-10, "too_many_decimals"),
        ("inputAmount", "0.0000000001", "too_many_decimals"),
        ("inputAmount", "18446744073.709551616", "too_large"),
        ("inputAmount", "1e9999", "too_large"),
        ("inputAmount", 10**30, "too_large"),
        ("slippageBps", 1_001, "too_large"),
        ("slippageBps", 10_001, "less_than_equal"),
        ("slippageBps", -1, "greater_than_equal"),
        ("slippageBps", 1.5, "invalid_type"),
        ("slippageBps", "50", "invalid_type"),
        ("slippageBps", True, "invalid_type"),
        ("type", "limit", "literal_error"),
        ("limitPrice", "1", "unknown_field"),
        ("user_wallet", WALLET, "unknown_field"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    field: str, value: Any, code: str, door: Door, key: dict[str, str]
) -> None:
    body = GOOD | {field: value}
    if value is MISSING:
        del body[field]
    content = body
    if value == 10**30:
        content = str(body).replace("'", '"').encode()  # type: ignore[assignment]
    answer = post(door, EXECUTE, content, key, **{"Idempotency-Key": "k"})
    assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert errors_of(answer) == [(field, code)]
    assert_nothing_stored()


def test_an_amount_below_the_tokens_unit_is_never_taken_as_nothing(
    door: Door, key: dict[str, str]
) -> None:
    body = GOOD | {"inputToken": "USDC", "outputToken": "SOL", "inputAmount": "1e-9"}
    assert errors_of(post(door, EXECUTE, body, key)) == [("inputAmount", "too_many_decimals")]
    assert_nothing_stored()


def test_every_wrong_field_is_named_at_once(door: Door, key: dict[str, str]) -> None:
    body = {
        "userWallet": "nobody",
        "inputToken": "DOGE",
        "outputToken": "SHIB",
        "inputAmount": "1",
        "slippageBps": 5_000,
    }
    assert errors_of(post(door, EXECUTE, body, key)) == [
        ("userWallet", "invalid_address"),
        ("inputToken", "unknown_token"),
        ("outputToken", "unknown_token"),
        ("slippageBps", "too_large"),
    ]


def test_a_name_that_is_no_unicode_is_a_400(door: Door, key: dict[str, str]) -> None:
    for body in (rb'{"\ud800": 1}', rb'{"userWallet": "\ud800"}'):
        answer = post(door, EXECUTE, body, key)
        assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert_nothing_stored()


def test_a_token_or_wallet_out_of_use_is_unknown(door: Door, key: dict[str, str]) -> None:
    Token.objects.filter(symbol="USDC").update(active=False)
    Wallet.objects.filter(address=WALLET).update(active=False)
    registry.forget()
    assert errors_of(post(door, EXECUTE, GOOD, key)) == [
        ("userWallet", "unknown_wallet"),
        ("outputToken", "unknown_token"),
    ]


@pytest.mark.parametrize("header", ["x" * 256, "tab\there"])
def test_an_idempotency_key_out_of_range_is_a_400(
    header: str, door: Door, key: dict[str, str]
) -> None:
    answer = post(door, EXECUTE, GOOD, key, **{"Idempotency-Key": header})
    assert (answer.status, answer.body["code"]) == (400, "invalid_idempotency_key")
    assert_nothing_stored()


@pytest.mark.parametrize("authorization", ["", "Bearer flk_nobody", "Basic abc"])
def test_a_caller_nobody_knows_is_a_401(authorization: str, door: Door) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = post(door, EXECUTE, GOOD, headers)
    assert (answer.status, answer.body["code"]) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert_nothing_stored()


@pytest.mark.parametrize("body", [GOOD, b"{"])
@pytest.mark.parametrize("path", [EXECUTE, WAIT, BULK])
def test_a_caller_without_the_scope_is_a_403_whatever_it_sends(
    path: str, body: Any, door: Door, bearer: Bearer
) -> None:
    answer = post(door, path, body, bearer("orders:read"))
    assert (answer.status, answer.body["code"]) == (403, "missing_scope")
    assert_nothing_stored()


def test_a_body_over_two_megabytes_is_a_413(door: Door, key: dict[str, str]) -> None:
    answer = post(door, EXECUTE, b" " * 2_000_001, key)
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    assert_nothing_stored()


def test_guessing_keys_is_throttled(door: Door, settings: Settings) -> None:
    settings.THROTTLE_ADDRESS = Rate(2, 3_600_000)
    guesses = [{"Authorization": f"Bearer flk_{'a' * 42}{n}"} for n in range(3)]
    assert [post(door, EXECUTE, GOOD, guess).status for guess in guesses] == [401, 401, 429]


def test_a_paused_intake_is_a_503(door: Door, key: dict[str, str]) -> None:
    switches.set_switch(name="orders.intake", on=False, by="user:1 ann", reason="maintenance")
    answer = post(door, EXECUTE, GOOD, key)
    assert (answer.status, answer.body["code"]) == (503, "paused")
    assert answer.headers["retry-after"] == "30"
    assert_nothing_stored()


def test_every_answer_carries_the_callers_request_id(door: Door, key: dict[str, str]) -> None:
    answer = post(door, EXECUTE, b"null", key, **{"X-Request-ID": "my-request-1"})
    assert answer.headers["x-request-id"] == answer.body["requestId"] == "my-request-1"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_bulk_of_bad_orders_stores_nothing(door: Door, key: dict[str, str]) -> None:
    answer = post(door, BULK, {"orders": [7, {}]}, key)
    assert (answer.status, answer.body["accepted"]) == (207, 0)
    assert_nothing_stored()


@pytest.mark.parametrize(
    ("orders", "code"), [([], "too_short"), ([GOOD] * 1_001, "too_long"), (7, "invalid_type")]
)
def test_bulk_takes_one_to_a_thousand_orders(
    orders: Any, code: str, door: Door, key: dict[str, str]
) -> None:
    answer = post(door, BULK, {"orders": orders}, key)
    assert answer.status == 400
    assert errors_of(answer) == [("orders", code)]
    assert_nothing_stored()
