"""Columns that money needs."""

from typing import Any

from django.db import models


class Amount(models.DecimalField):  # type: ignore[type-arg]
    """Base units: an integer of up to 78 digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 78, "decimal_places": 0} | options)

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)
