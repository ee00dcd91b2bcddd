"""Named points between the steps of a flow, for tests that interrupt it exactly there."""

from collections.abc import Callable

_observers: list[Callable[[str], None]] = []


def reach(name: str) -> None:
    """Tell observers, of which there are none in production, that the flow is at ``name``."""
    for observer in _observers:
        observer(name)


def observe(observer: Callable[[str], None]) -> None:
    """Call ``observer`` with every name reached in this process from now on."""
    _observers.append(observer)
