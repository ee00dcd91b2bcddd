"""The documentation shows what the code does."""

import re
from pathlib import Path

from stablecoin.states import REQUEST

DOCS = Path(__file__).resolve().parents[2] / "docs" / "stablecoin.md"
# What the text below the diagram says of every request that has not ended.
ALWAYS = ("COMPLETED", "FAILED", "REVIEW")


def test_the_diagram_and_its_text_are_the_transition_table() -> None:
    shown = set(re.findall(r"^    ([A-Z_]+) --> ([A-Z_]+)$", DOCS.read_text(), re.MULTILINE))
    states = {state for pair in shown for state in pair}
    open_states = states - {"COMPLETED", "FAILED", "REJECTED"}
    said = {(state, end) for state in open_states for end in ALWAYS if state != end}
    table = {(a, b) for a in states for b in states if REQUEST.allowed(a, b)}
    assert shown | said == table
