"""The documentation shows what the code does."""

from pathlib import Path

import pytest

from fairlane.core.transitions import Transitions
from orders.states import ATTEMPT, ORDER

DOCS = Path(__file__).resolve().parents[2] / "docs" / "orders.md"


@pytest.mark.parametrize("transitions", [ORDER, ATTEMPT])
def test_the_diagrams_are_those_of_the_transition_tables(transitions: Transitions) -> None:
    assert f"```mermaid\n{transitions.mermaid()}\n```" in DOCS.read_text()
