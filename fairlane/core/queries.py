"""Query parameters of lists, read strictly: what is unknown or wrong is told, all at once."""

from collections.abc import Iterable, Mapping

from fairlane.core.errors import FieldError, invalid


class Query:
    """Reads parameters, and remembers what was wrong with them."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self._known: set[str] = set()
        self._errors: list[FieldError] = []

    def text(self, name: str) -> str | None:
        """The value as it is."""
        self._known.add(name)
        return self._query.get(name)

    def word(self, name: str, words: Iterable[str]) -> str | None:
        """One of these words."""
        value, known = self.text(name), list(words)
        if value is not None and value not in known:
            self._errors.append(FieldError(name, "invalid", f"One of {', '.join(known)}."))
            return None
        return value

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number within bounds."""
        value = self.text(name)
        if value is None:
            return None
        # 64 bits have no more digits: a number of thousands of them is not even read.
        if value.isascii() and value.isdigit() and len(value) <= 19 and least <= int(value) <= most:
            return int(value)
        told = f"A whole number from {least} to {most}."
        self._errors.append(FieldError(name, "invalid", told))
        return None

    def requires(self, name: str, other: str) -> None:
        """Tell if the one is given without the other, which gives it a meaning."""
        if name in self._query and other not in self._query:
            self._errors.append(FieldError(name, "invalid", f"Only together with {other}."))

    def finish(self) -> None:
        """
        Raises:
            Problem: 400, with everything that was wrong.
        """
        unknown = [
            FieldError(name, "unknown_field", "No such parameter.")
            for name in self._query
            if name not in self._known
        ]
        if unknown or self._errors:
            raise invalid(*self._errors, *unknown)
