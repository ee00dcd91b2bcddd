"""Orders that are signed outside: by the command, and by what the documentation shows."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from solders.pubkey import Pubkey
from solders.signature import Signature

from batches.models import Market
from batches.records import MAX_LOTS, Order, OrderType, Side, TimeInForce, signed_by
from batches.tests.outside import OWNERS, Chain
from sandbox.keys import write_private

OWNER = OWNERS[0]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "batches.md"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "owner.json"
    write_private(path, json.dumps(list(bytes(OWNER))))
    return path


def sign(key: Path, *arguments: str) -> Order:
    """The order of the printed body, whose signature is its owner's."""
    said = StringIO()
    call_command("sign_batch_order", str(key), "JUP-USDC", *arguments, stdout=said)
    return opened(json.loads(said.getvalue()))


def opened(body: dict[str, str]) -> Order:
    assert set(body) == {"record", "signature"}
    record = bytes.fromhex(body["record"])
    signature = bytes(Signature.from_string(body["signature"]))
    order = Order.parse(record)
    assert signed_by(order.owner, record, signature)
    return order


def test_the_command_signs_what_is_asked_for(key: Path, market: Market, chain: Chain) -> None:
    before = chain.slot()
    order = sign(key, "buy", "12", "--price=0.5005", "--nonce=7", "--expires-in-slots=1000")
    assert order.market == bytes(Pubkey.from_string(market.address))
    assert order.owner == bytes(OWNER.pubkey())
    assert (order.side, order.type, order.nonce) == (Side.BUY, OrderType.LIMIT, 7)
    assert order.time_in_force is TimeInForce.ROLL
    assert (order.quantity, order.limit) == (12, 500)
    assert order.max_fee_bps == market.fee_bps
    # What the command asks for is the confirmed slot, which is behind the running one.
    assert before + 900 < order.expiry_slot <= chain.slot() + 1_000


def test_without_a_price_it_is_a_market_order_up_to_the_collar(key: Path, market: Market) -> None:
    order = sign(key, "sell", "3", "--time-in-force=oneBatch", "--max-fee-bps=25")
    assert (order.side, order.type) == (Side.SELL, OrderType.MARKET)
    assert order.time_in_force is TimeInForce.ONE_BATCH
    assert (order.limit, order.max_fee_bps) == (475, 25)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["buy", "1.5", "--price=1"], "quantity: It must be a multiple of the market's lot"),
        (["buy", "0", "--price=1"], "more than 0"),
        (["buy", "1", "--price=0"], "limitPrice: It must be above 0"),
        (["buy", "1", "--price=0.0001"], "limitPrice: It is less than the smallest price"),
        (["buy", "1", "--price=1", "--nonce=-1"], "record"),
        (["buy", "1", "--price=1", "--max-fee-bps=10001"], "maxFeeBps"),
    ],
)
def test_what_no_order_can_say_is_not_signed(
    arguments: list[str], reason: str, key: Path, market: Market
) -> None:
    with pytest.raises(CommandError, match=reason):
        sign(key, *arguments)


@pytest.mark.parametrize("content", ["", "[1, 2]", "no key"])
def test_a_file_without_a_key_is_refused_without_a_word_of_it(
    content: str, market: Market, tmp_path: Path
) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(CommandError, match="holds no Solana keypair"):
        sign(path, "buy", "1")
    with pytest.raises(CommandError, match="cannot be read"):
        sign(tmp_path / "absent.json", "buy", "1")


def test_a_market_that_is_not_there_is_refused(key: Path, chain: Chain) -> None:
    with pytest.raises(CommandError, match="no market JUP-USDC"):
        sign(key, "buy", "1")


def test_what_the_documentation_shows_makes_an_order() -> None:
    names: dict[str, Any] = {}
    (shown,) = re.findall(r"```python\n(.+?)```", DOCS.read_text(), re.DOTALL)
    exec(shown, names)  # noqa: S102 - it is our own
    market = str(OWNERS[1].pubkey())
    values = {"side": 1, "limit": 500, "quantity": MAX_LOTS, "max_fee_bps": 30}
    body = names["signed_order"](OWNER, market, **values, expiry_slot=9, type=1, tif=1)
    order = opened(body)
    assert order.market == bytes(OWNERS[1].pubkey())
    assert order.owner == bytes(OWNER.pubkey())
    assert (order.side, order.type) == (Side.SELL, OrderType.MARKET)
    assert order.time_in_force is TimeInForce.ONE_BATCH
    assert (order.limit, order.quantity, order.max_fee_bps) == (500, MAX_LOTS, 30)
    assert (order.expiry_slot, order.from_slot) == (9, 0)
