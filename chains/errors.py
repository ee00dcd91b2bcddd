"""Errors of the outside world, by the reaction they ask for, and what sorts answers into them."""

from http import HTTPStatus


class ChainError(Exception):
    """Anything an adapter raises. The text is safe to log and to show: it holds no secrets."""


class Transient(ChainError):
    """Nothing happened, or nothing that matters: the same call may be repeated later."""


class Behind(Transient):
    """The node has not reached what is known of the chain already: another one may have."""


class Definitive(ChainError):
    """The same call will fail the same way: give up, or change what is asked."""


class TooLarge(Definitive):
    """The answer is larger than is taken: ask for less."""


class Ambiguous(ChainError):
    """It may have happened: look at the chain before doing anything else."""


# Provider text ends up in logs and order reasons; nothing useful is longer than this.
_MESSAGE_LIMIT = 200

# The statuses that complain about the request itself. All others, a refused key or a wrong path
# included, are between us and the provider and say nothing about what was asked.
_DEFINITIVE_HTTP = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)

# Agave's rpc-custom-error codes and JSON-RPC's own, sorted by reaction. Codes that are absent
# here are Transient: an unknown complaint of a provider says nothing about the transaction.
_SOLANA_RPC: dict[int, tuple[type[ChainError], str]] = {
    -32001: (Definitive, "the block was cleaned up"),
    -32002: (Definitive, "the simulation of the transaction failed"),
    -32003: (Definitive, "a signature of the transaction is invalid"),
    -32004: (Transient, "the block is not available yet"),
    -32005: (Transient, "the node is behind the cluster"),
    -32006: (Definitive, "the transaction failed its precompile checks"),
    -32007: (Definitive, "the slot was skipped"),
    -32009: (Definitive, "the slot was skipped, or is missing in long-term storage"),
    -32010: (Definitive, "the account key is excluded from the index"),
    -32011: (Definitive, "the node keeps no transaction history"),
    -32013: (Definitive, "a signature has the wrong length"),
    -32014: (Transient, "the status of the block is not available yet"),
    -32015: (Definitive, "the transaction version is not supported"),
    -32016: (Transient, "the node has not reached the asked slot yet"),
    -32600: (Definitive, "the request is invalid"),
    -32601: (Definitive, "the method does not exist"),
    -32602: (Definitive, "the parameters are invalid"),
    -32603: (Transient, "internal error of the node"),
    -32700: (Definitive, "the request could not be parsed"),
}


def of_http_status(status: int, *, peer: str) -> ChainError:
    """The error for a non-2xx answer of `peer` (a name, never a URL)."""
    kind = Definitive if status in _DEFINITIVE_HTTP else Transient
    return kind(f"{peer} answered HTTP {status}")


def of_solana_rpc(code: object, message: object, *, method: str) -> ChainError:
    """The error for a JSON-RPC error object, which is outside input of any type."""
    known = _SOLANA_RPC.get(code) if isinstance(code, int) else None
    kind, meaning = known or (Transient, "unknown error")
    return kind(f"{method}: {meaning} ({code!r:.20}: {outside_text(message)})")


def outside_text(value: object) -> str:
    """Text that came from outside, made short, single-line and printable."""
    text = value if isinstance(value, str) else repr(value)
    return "".join(c if c.isprintable() else " " for c in text[:_MESSAGE_LIMIT])
