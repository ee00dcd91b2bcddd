"""Figures, and how people read them."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

PACKAGES = ("django", "celery", "psycopg", "uvicorn", "channels", "solders")


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        floor: what the machine does when nothing but the named thing is done.
        target: to be reached (`better` says in which direction), where there is one.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["more", "less"] = "more"
    floor: float | None = None
    floor_name: str = ""

    @property
    def reached(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "more" else self.value <= self.target

    def cells(self) -> list[str]:
        """Name, value, target, whether it was reached, floor, ratio."""
        sign = "≥" if self.better == "more" else "≤"
        target = "" if self.target is None else f"{sign} {number(self.target)}"
        verdict = {None: "", True: "yes", False: "no"}[self.reached]
        floor = "" if self.floor is None else f"{self.floor_name}: {number(self.floor)}"
        ratio = "" if self.floor is None else f"{self.value / self.floor:.2g}"
        return [self.name, f"{number(self.value)} {self.unit}", target, verdict, floor, ratio]


@dataclass(frozen=True)
class Section:
    """Figures of one kind, with what has to be known to read them."""

    title: str
    note: str
    figures: Sequence[Figure]


HEADINGS = ["", "measured", "target", "reached", "floor", "ratio"]


def number(value: float) -> str:
    """A value with as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def text(section: Section) -> str:
    """A section for a terminal."""
    rows = [HEADINGS, *(figure.cells() for figure in section.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([f"\n{section.title}", section.note, "", *lines])


def markdown(sections: Sequence[Section]) -> str:
    """The whole report."""
    parts = ["# Measured figures", machine(), *map(_markdown, sections)]
    return "\n\n".join(parts) + "\n"


def _markdown(section: Section) -> str:
    rows = [figure.cells() for figure in section.figures]
    table = [HEADINGS, ["---"] * len(HEADINGS), *rows]
    lines = "\n".join("| " + " | ".join(row) + " |" for row in table)
    return f"## {section.title}\n\n{section.note}\n\n{lines}"


def machine() -> str:
    """What it was measured on; the load says whether the machine did anything else."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = os.getloadavg()[2]
    return (
        f"{os.cpu_count()} × {model}, Linux {platform.release()}, Python "
        f"{platform.python_version()}, {packages}. All parts and the load generator share these "
        f"cores. Load average of the last 15 minutes: {load:.1f}."
    )
