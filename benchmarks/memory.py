"""What each part takes of the memory, after everything else was measured."""

from benchmarks.processes import memory_mib
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack


def measure(stack: Stack) -> Section:
    """Proportional set size, in which shared pages count once."""
    found = memory_mib(stack.parts)
    figures = [
        Figure(
            f"{name} ({processes} process{'es' * (processes > 1)}, {rss:,.0f} MiB RSS)", pss, "MiB"
        )
        for name, (processes, rss, pss) in found.items()
    ]
    total = Figure("all", sum(pss for _, _, pss in found.values()), "MiB")
    return Section(
        "Memory",
        "Proportional set size: what a page shared by several processes takes is divided by them.",
        [*figures, total],
    )
