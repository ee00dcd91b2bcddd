"""What somebody does with the pages, and what they see."""

from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sandbox.home import HOME
from tests.stack import Stack
from tests.waiting import PATIENCE_SECONDS

T = TypeVar("T")

# Read in one go: between finding an element and asking it, a live page may have replaced it.
TEXTS = """
return [...document.querySelectorAll(arguments[0])].map(
    (element) => (element.checkVisibility() ? element.innerText.trim() : ""));
"""
ATTRIBUTES = """
return [...document.querySelectorAll(arguments[0])].map(
    (element) => element.getAttribute(arguments[1]) ?? "");
"""
HAS_FOCUS = "return document.activeElement.matches(arguments[0])"

SCREENSHOTS = HOME.directory / "screenshots"
# More controls than any page has before the one that is looked for.
MOST_TABS = 60


class Visitor:
    """A person with a browser, who uses the keyboard unless told to click."""

    def __init__(self, driver: WebDriver, stack: Stack) -> None:
        self.driver = driver
        self._stack = stack

    def sign_in(self) -> None:
        (link,) = self._stack.manage(["sign_in_link", "operator"])
        self.driver.get(self._stack.url() + link)
        # The element itself: on a busy machine the page may not have the focus yet.
        (button,) = self.wait("the button", lambda: self.find("main form button"))
        button.send_keys(Keys.ENTER)
        self.wait("the trade page", lambda: self.find("#ticket"))

    def go(self, path: str) -> None:
        self.driver.get(self._stack.url() + path)

    def find(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What the first such element shows; nothing where there is none."""
        return next(iter(self.texts(selector)), "")

    def texts(self, selector: str) -> list[str]:
        texts: list[str] = self.driver.execute_script(TEXTS, selector)
        return texts

    def attributes(self, selector: str, name: str) -> list[str]:
        """What each such element has as that attribute; nothing where it has none."""
        attributes: list[str] = self.driver.execute_script(ATTRIBUTES, selector, name)
        return attributes

    def click(self, selector: str) -> None:
        self.wait(f"{selector} can be clicked", lambda: self._clicked(selector))

    def has_focus(self, selector: str) -> bool:
        return bool(self.driver.execute_script(HAS_FOCUS, selector))

    def press(self, *keys: str) -> None:
        """Type into whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab_to(self, selector: str) -> None:
        """Move the focus with the tab key until it is there, and can be seen."""
        for _ in range(MOST_TABS):
            self.press(Keys.TAB)
            if self.has_focus(selector):
                assert self.has_focus(":focus-visible")
                return
        raise AssertionError(f"{selector} cannot be reached with the keyboard")

    def wait(self, what: str, condition: Callable[[], T]) -> T:
        """Wait until the condition gives something true, which is returned."""
        patience = WebDriverWait(
            self.driver,
            PATIENCE_SECONDS,
            poll_frequency=0.05,
            ignored_exceptions=[StaleElementReferenceException],
        )
        try:
            return patience.until(lambda _: condition())
        except TimeoutException:
            shown = " / ".join(self.text("body").split("\n"))[:500]
            where = self.driver.current_url
            raise AssertionError(f"waited in vain: {what}; {where} shows: {shown}") from None

    def wait_for_text(self, selector: str, text: str) -> None:
        self.wait(f"{selector} shows {text!r}", lambda: text in self.text(selector))

    def wait_for_texts(self, selector: str, texts: list[str]) -> None:
        self.wait(f"{selector} show {texts}", lambda: self.texts(selector) == texts)

    def complaints(self) -> list[str]:
        """What the console holds: errors of scripts, refused resources, violated policies."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def scrolls_sideways(self) -> bool:
        width = "document.documentElement.scrollWidth > innerWidth"
        return bool(self.driver.execute_script(f"return {width}"))

    def take_picture(self, name: str) -> None:
        """Keep what the whole page looks like in the sandbox's folder."""
        size = "return [innerWidth, document.documentElement.scrollHeight]"
        width, height = self.driver.execute_script(size)
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        picture = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(b64decode(picture["data"]))

    def _clicked(self, selector: str) -> bool:
        for element in self.find(selector)[:1]:
            element.click()
            return True
        return False
