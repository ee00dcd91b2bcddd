"""Columns that chains need."""

from typing import Any

from django.db import models


class Address(models.CharField):  # type: ignore[type-arg]
    """An account or contract: EIP-55 text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 42} | options)


class Hash(models.CharField):  # type: ignore[type-arg]
    """A block or transaction: 0x and 64 lower-case hex digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 66} | options)
