import pytest

from chains.errors import (
    ChainError,
    Definitive,
    Transient,
    of_http_status,
    of_solana_rpc,
    outside_text,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, Transient),
        (400, Definitive),
        (401, Transient),
        (403, Transient),
        (404, Transient),
        (408, Transient),
        (413, Definitive),
        (422, Definitive),
        (429, Transient),
        (500, Transient),
        (502, Transient),
        (503, Transient),
    ],
)
def test_an_http_status_asks_for_a_reaction(status: int, kind: type[ChainError]) -> None:
    error = of_http_status(status, peer="the node")
    assert type(error) is kind
    assert str(error) == f"the node answered HTTP {status}"


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        (-32002, "Transaction simulation failed", Definitive, "simulation"),
        (-32003, "Transaction signature verification failure", Definitive, "signature"),
        (-32005, "Node is behind by 42 slots", Transient, "behind the cluster"),
        (-32005, "Node is unhealthy", Transient, "Node is unhealthy"),
        (-32016, "Minimum context slot has not been reached", Transient, "slot"),
        (-32015, "Transaction version (0) is not supported", Definitive, "version"),
        (-32601, "Method not found", Definitive, "method"),
        (-32602, "Invalid param: WrongSize", Definitive, "WrongSize"),
        (-32603, "Internal error", Transient, "internal"),
        (-32700, "Parse error", Definitive, "parsed"),
        (429, "Too many requests", Transient, "Too many requests"),
        (-32429, "rate limited", Transient, "rate limited"),
        ("429", "Too many requests", Transient, "Too many requests"),
        (None, None, Transient, "None"),
        ([], {"a": 1}, Transient, "{'a': 1}"),
    ],
)
def test_an_rpc_error_asks_for_a_reaction(
    code: object, message: object, kind: type[ChainError], words: str
) -> None:
    error = of_solana_rpc(code, message, method="getSlot")
    assert type(error) is kind
    assert words in str(error)
    assert str(error).startswith("getSlot: ")


def test_text_from_outside_is_short_and_on_one_line() -> None:
    assert outside_text("a\nb\x1b[31m" + "c" * 1000) == "a b [31m" + "c" * 192
