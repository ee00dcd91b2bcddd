"""Books that are compared with the chain, whichever app keeps them: for `manage.py reconcile`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What one comparison came to.

    Attributes:
        name: what was compared, as it is named to the command.
        text: both sides, for people.
        data: both sides, for programs.
    """

    name: str
    agree: bool
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Books:
    """An app's books.

    Attributes:
        names: what there is to compare.
        check: compares one of them, and writes down what it came to; raises ``ChainError``.
    """

    names: Callable[[], Sequence[str]]
    check: Callable[[str], Finding]


_books: list[Books] = []


def register(books: Books) -> None:
    """Let the command compare an app's books."""
    _books.append(books)


def everything() -> dict[str, Callable[[str], Finding]]:
    """All that can be compared, by name, in the order of the apps."""
    return {name: books.check for books in _books for name in books.names()}
