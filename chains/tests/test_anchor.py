"""The anchor's text, and anchors on a real node."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from chains.http import Http
from chains.ports import LandedTransaction
from chains.solana import anchor, landing, transfers
from chains.solana.anchor import Anchor
from chains.solana.client import SolanaClient
from chains.tests.transfer_support import Attempt, Chain, land, landed, start_chain

ROOT, PREVIOUS = bytes(range(32)), bytes(32)
EXAMPLE = Anchor(7, 100, 104, 3, ROOT, PREVIOUS)
numbers = st.integers(0, 2**64 - 1)
hashes = st.binary(min_size=32, max_size=32)


@given(st.builds(Anchor, numbers, numbers, numbers, numbers, hashes, hashes))
def test_what_is_written_is_read_back(written: Anchor) -> None:
    assert anchor.parse(str(written)) == written


def test_the_text_is_as_designed() -> None:
    assert str(EXAMPLE) == (
        f"fairlane1 t=7 cut=100 exec=104 n=3 r={Pubkey.from_bytes(ROOT)} prev={'1' * 32}"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fairlane1", "fairlane2"),
        ("t=7", "t=07"),
        ("t=7", "t=-7"),
        ("t=7", "t=７"),
        ("cut=100", "cut="),
        (" exec", "  exec"),
        ("n=3", "n=3 n=3"),
        ("r=1", "r="),
        ("prev=1", "prev=0"),
        ("prev=1", "prev=11"),
        ("fairlane1", " fairlane1"),
        ("prev", "\nprev"),
    ],
)
def test_a_text_that_is_only_close_is_no_anchor(old: str, new: str) -> None:
    text = str(EXAMPLE)
    assert old in text
    assert anchor.parse(text.replace(old, new, 1)) is None


def test_a_text_with_something_behind_it_is_no_anchor() -> None:
    assert anchor.parse(str(EXAMPLE) + "\n") is None


@pytest.fixture
def found() -> LandedTransaction:
    return LandedTransaction("s", 103, None, 5000, None, (), (), "payer", (str(EXAMPLE),))


def test_an_anchor_counts_only_from_its_payer_alone_and_where_it_succeeded(
    found: LandedTransaction,
) -> None:
    assert anchor.landed(found, payer="payer") == EXAMPLE
    assert anchor.landed(found, payer="another") is None
    assert anchor.landed(replace(found, err="failed"), payer="payer") is None
    assert anchor.landed(replace(found, memos=(str(EXAMPLE),) * 2), payer="payer") is None
    assert anchor.landed(replace(found, memos=()), payer="payer") is None


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    chain = start_chain(tmp_path_factory.mktemp("chain"))
    yield chain
    chain.part.stop()


async def test_an_anchor_is_found_on_chain_with_a_slot_before_the_execution(
    chain: Chain, http: Http
) -> None:
    node = SolanaClient(chain.part.url, http)
    now = await node.slot()
    longest = Anchor(2**64 - 1, now, now + 1000, 2**64 - 1, b"\xff" * 32, b"\xff" * 32)
    blockhash = await node.latest_blockhash()
    message = anchor.build(longest, payer=chain.coordinator, blockhash=blockhash.value)
    attempt = Attempt(transfers.sign(message, chain.keys), blockhash)
    decision = await land(node, attempt)
    assert isinstance(decision, landing.Confirmed)
    transaction = await landed(node, attempt)
    assert anchor.landed(transaction, payer=chain.coordinator) == longest
    assert now <= transaction.slot == decision.slot < longest.execution_slot
