"""What every test of the repository gets."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine makes any example slow, and says nothing about what is tested.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

ROOT = Path(__file__).parent
# Each folder under tests/ has its marker, so that no file can forget it.
MARKED = ("e2e", "crash", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(ROOT).parts[:2]
        for marker in MARKED:
            if folder == ("tests", marker):
                item.add_marker(marker)
