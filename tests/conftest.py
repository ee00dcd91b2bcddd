"""What flows on real processes share."""

from collections.abc import Generator

import pytest

from tests.stack import Stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the last lines of every log beside a failure."""
    report = yield
    stack = next((v for v in getattr(item, "funcargs", {}).values() if isinstance(v, Stack)), None)
    if report.failed and stack is not None:
        report.sections.append(("logs of the stack", stack.log_tails()))
    return report
