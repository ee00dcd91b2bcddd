"""What the documents say is what the code does."""

import re
from pathlib import Path

from batches.states import BATCH

DOCS = Path(__file__).parents[2] / "docs" / "batches.md"


def test_the_diagram_is_the_table_of_states() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", DOCS.read_text(), re.MULTILINE))
    assert drawn == {(a, b) for a, following in BATCH.table.items() for b in following}
