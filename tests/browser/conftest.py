"""A browser in front of the stack of its folder."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.visitor import Visitor
from tests.stack import Stack

CHROMIUM = shutil.which("chromium") or ""
DRIVER = shutil.which("chromedriver") or ""
ABSENT = "chromium or its driver is absent (Debian: apt-get install chromium chromium-driver)"

# A browser under test talks to nobody but the stack.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

OpenBrowser = Callable[[int, int], Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=ABSENT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not (CHROMIUM and DRIVER):
        terminalreporter.section("NO BROWSER TESTS", yellow=True)
        terminalreporter.line(f"They are skipped: {ABSENT}.")


@pytest.fixture
def open_browser(stack: Stack, tmp_path: Path) -> Iterator[OpenBrowser]:
    """Opens a browser with a window of that width and height."""
    with ExitStack() as opened:

        def open_one(width: int, height: int) -> Visitor:
            options = webdriver.ChromeOptions()
            options.binary_location = CHROMIUM
            for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path / 'profile'}"):
                options.add_argument(argument)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            driver = webdriver.Chrome(options=options, service=Service(DRIVER))
            opened.callback(driver.quit)
            # A window can be no narrower than 500 pixels; what it shows can.
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            return Visitor(driver, stack)

        yield open_one


@pytest.fixture
def trader(open_browser: OpenBrowser) -> Visitor:
    """Somebody who signed in, at a desk."""
    visitor = open_browser(1280, 900)
    visitor.sign_in()
    return visitor
