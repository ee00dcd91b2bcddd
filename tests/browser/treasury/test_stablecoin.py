"""Mints and redeems in a real browser against a real stack."""

from collections.abc import Callable

import pytest
from selenium.webdriver.common.keys import Keys

from sandbox.evm import HOLDERS, OUTSIDER
from tests.browser.treasury.conftest import CHAIN, FOUR_EYES_ABOVE
from tests.browser.visitor import Visitor
from tests.evm import TOKEN
from tests.issuance import WAY, Issuance, mint

STATES = "#requests tbody .status"
SUPPLY = ".chain-supply [data-slot=supply]"


def row(name: str) -> str:
    return f'#requests tr:has(a[title="{name}"])'


def consenting(visitor: Visitor) -> list[str]:
    """Who agreed, in the order in which the page names them."""
    return [words.split()[0] for words in visitor.texts("#consents [data-slot=words]")]


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_a_mint_is_watched_until_it_is_final(
    issuance: Issuance, open_browser: Callable[[int, int], Visitor], width: int, height: int
) -> None:
    visitor = open_browser(width, height)
    visitor.sign_in()
    visitor.go("/stablecoin")
    visitor.wait_for_text("#requests-connection", "Live")
    before = visitor.text(SUPPLY)
    (name,) = issuance.approve(mint(HOLDERS[0], 12 * TOKEN, chain=CHAIN))
    visitor.wait_for_text(f"{row(name)} .status", "COMPLETED")
    visitor.wait("the supply grows", lambda: visitor.text(SUPPLY) != before)
    assert visitor.text(f"{row(name)} [data-slot=amount]").endswith("12")
    assert visitor.text(".chain-state").endswith("Live")
    assert not visitor.scrolls_sideways()
    visitor.take_picture(f"stablecoin-{width}")

    visitor.tab_to(f"{row(name)} a")
    visitor.press(Keys.ENTER)
    visitor.wait_for_text("#transactions", "FINAL")
    visitor.wait_for_texts("#timeline .status", WAY)
    assert visitor.text("#facts [data-slot=amount]") == "12"
    assert not visitor.scrolls_sideways()
    visitor.take_picture(f"request-{width}")
    assert visitor.complaints() == []


def test_a_request_is_live_on_its_own_page(issuance: Issuance, operator: Visitor) -> None:
    (name,) = issuance.approve(mint(HOLDERS[1], (FOUR_EYES_ABOVE + 1) * TOKEN, chain=CHAIN))
    operator.wait_for_text(f"{row(name)} .status", "AWAITING_APPROVAL")
    operator.wait_for_text("#waiting", "waiting for two people")
    operator.tab_to(f"{row(name)} a")
    operator.press(Keys.ENTER)
    operator.wait_for_text("#attention", "Two different people have to agree")
    operator.wait_for_text("#connection", "Live")
    issuance.agree(name)
    operator.wait_for_text("#head .status", "COMPLETED")
    operator.wait("both are named", lambda: consenting(operator) == ["ann", "bob"])
    assert operator.complaints() == []


def test_the_list_is_filtered_and_says_why_a_request_failed(
    issuance: Issuance, operator: Visitor
) -> None:
    (name,) = issuance.approve(mint(OUTSIDER, TOKEN, chain=CHAIN))
    operator.wait_for_text(f"{row(name)} .status", "REJECTED")
    operator.wait_for_text(f"{row(name)} [data-slot=reason]", "does not know the account")
    operator.click('#filters [name=phase] option[value="FAILED"]')
    operator.wait("only failures", lambda: set(operator.texts(STATES)) == {"REJECTED"})
    # What comes to the state that is looked for appears by itself.
    operator.click('#filters [name=phase] option[value="COMPLETED"]')
    operator.wait("no failures", lambda: "REJECTED" not in operator.texts(STATES))
    (other,) = issuance.approve(mint(HOLDERS[2], TOKEN, chain=CHAIN))
    operator.wait_for_text(f"{row(other)} .status", "COMPLETED")
    assert operator.complaints() == []


def test_a_paused_chain_says_so(issuance: Issuance, operator: Visitor) -> None:
    issuance.switch(f"stablecoin.chain.{CHAIN}", on=False)
    operator.wait_for_text(".chain-state", "Paused")
    issuance.switch(f"stablecoin.chain.{CHAIN}", on=True)
    operator.wait_for_text(".chain-state", "Live")
