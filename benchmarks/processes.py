"""What each process of the stack costs: CPU time and memory, its children included."""

from collections.abc import Mapping

import psutil

from sandbox.processes import Part

MIB = 1024 * 1024


def cpu_seconds(parts: Mapping[str, Part]) -> dict[str, float]:
    """User and system time so far, by part; that of children which have ended is counted too."""
    return {name: sum(map(_cpu_seconds, _family(part))) for name, part in parts.items()}


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was spent between two readings."""
    return {name: after[name] - seconds for name, seconds in before.items()}


def memory_mib(parts: Mapping[str, Part]) -> dict[str, tuple[int, float, float]]:
    """By part: how many processes, their resident memory, and their proportional share of it."""
    found = {}
    for name, part in parts.items():
        infos = [process.memory_full_info() for process in _family(part)]
        rss, pss = sum(info.rss for info in infos), sum(info.pss for info in infos)
        found[name] = (len(infos), rss / MIB, pss / MIB)
    return found


def _family(part: Part) -> list[psutil.Process]:
    process = psutil.Process(part.pid)
    return [process, *process.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # it ended in this instant; its parent counts it from now on
    return float(times.user + times.system + times.children_user + times.children_system)
