"""Geometry of the dashboard's bar chart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 600
HEIGHT = 120
# Room between two bars, as a part of their pitch.
GAP = 0.25


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in one minute; `label` is its time of day."""

    label: str
    accepted: int = 0
    confirmed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A minute in the coordinates of the drawing, whose y grows downwards."""

    minute: Minute
    x: float
    width: float
    confirmed_y: float
    confirmed_height: float
    failed_y: float
    failed_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Confirmed and failed orders as stacked bars, accepted ones as a line.

    Attributes:
        line: the points of the line, as SVG wants them.
        top: orders per minute at the upper edge.
    """

    bars: list[Bar]
    line: str
    top: int
    width: int = WIDTH
    height: int = HEIGHT


def draw(minutes: Sequence[Minute]) -> Chart:
    """The chart of these minutes, the oldest on the left."""
    top = max([1, *(max(m.accepted, m.confirmed + m.failed) for m in minutes)])
    pitch = WIDTH / max(1, len(minutes))

    def height(count: int) -> float:
        return round(HEIGHT * count / top, 2)

    bars, points = [], []
    for index, minute in enumerate(minutes):
        confirmed, failed = height(minute.confirmed), height(minute.failed)
        bars.append(
            Bar(
                minute,
                x=round(pitch * (index + GAP / 2), 2),
                width=round(pitch * (1 - GAP), 2),
                confirmed_y=round(HEIGHT - confirmed, 2),
                confirmed_height=confirmed,
                failed_y=round(HEIGHT - confirmed - failed, 2),
                failed_height=failed,
            )
        )
        x = round(pitch * (index + 0.5), 2)
        points.append(f"{x},{round(HEIGHT - height(minute.accepted), 2)}")
    return Chart(bars, " ".join(points), top)
