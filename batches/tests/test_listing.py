"""manage.py create_market: terms in tokens and prices become a market of atoms and ticks."""

from hashlib import sha256
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from batches.market_address import market_address
from batches.models import Market
from batches.tests.outside import BASE, COORDINATOR, OWNERS, QUOTE, RECEIPTS, Chain
from chains import registry as adapters
from fairlane.core.models import AuditEntry
from orders import registry as tokens
from orders.models import Token
from sandbox.genesis import ACCOUNT, associated_token_account, rent_exempt
from sandbox.markets import MARKETS
from sandbox.tokens import TOKEN_2022_PROGRAM, TOKENS

TERMS = {
    "--lot": "1",
    "--tick": "0.000025",
    "--reference": "0.5",
    "--fee-bps": "10",
    "--minimum-notional": "1",
    "--owner-cap": "5000",
}


@pytest.fixture(autouse=True)
def registered(chain: Chain) -> None:
    """The token registry, as the sandbox fills it."""
    Token.objects.bulk_create(
        Token(
            mint=str(token.mint),
            symbol=token.symbol,
            name=token.name,
            decimals=token.decimals,
            token2022=token.token2022,
        )
        for token in TOKENS
    )
    tokens.forget()


def create(*pair: str, **changes: str | None) -> str:
    terms = TERMS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    said = StringIO()
    options = [f"{name}={value}" for name, value in terms.items() if value is not None]
    call_command("create_market", *(pair or ("JUP", "USDC")), *options, stdout=said)
    return said.getvalue().strip()


def test_a_market_is_opened_in_atoms_and_ticks() -> None:
    said = create()
    market = Market.objects.get()
    assert said == f"JUP-USDC {market.address}"
    assert (market.lot, market.tick, market.reference) == (10**6, 25, 20_000)
    assert (market.minimum_notional, market.owner_cap) == (10**6, 5_000 * 10**6)
    assert market.max_open_orders == 100
    assert (market.base_mint, market.quote_mint) == (str(BASE.mint), str(QUOTE.mint))
    assert market.coordinator == str(COORDINATOR.pubkey())
    assert market.receipt_key == str(RECEIPTS.pubkey())
    assert market.address == market_address(
        "JUP-USDC",
        base_mint=market.base_mint,
        quote_mint=market.quote_mint,
        lot=market.lot,
        tick=market.tick,
        coordinator=market.coordinator,
        receipt_key=market.receipt_key,
    )
    assert AuditEntry.objects.filter(action="market.open", object="market:JUP-USDC").count() == 1


def test_a_market_has_a_pool_where_its_fee_is_given() -> None:
    create()
    create("SOL", "USDC", lot="0.001", tick="0.01", reference="160", pool_fee_bps="30")
    terms = Market.objects.order_by("id").values_list("name", "uses_pool", "pool_fee_bps")
    assert list(terms) == [("JUP-USDC", False, 0), ("SOL-USDC", True, 30)]


def test_a_market_has_its_own_timing_where_it_is_given() -> None:
    create()
    market = Market.objects.get()
    assert (market.look_ahead, market.cutoff_lead_ms, market.lock_ms) == (None, None, 0)
    create("SOL", "USDC", tick="0.01", look_ahead="40", cutoff_lead_ms="800", lock_ms="999")
    market = Market.objects.get(name="SOL-USDC")
    assert (market.look_ahead, market.cutoff_lead_ms, market.lock_ms) == (40, 800, 999)


def test_the_same_call_again_changes_nothing_though_the_price_has_moved() -> None:
    create()
    Market.objects.update(reference=21_000, planned_until=7)
    before = Market.objects.values().get()
    assert create().endswith("(there already)")
    assert Market.objects.values().get() == before
    assert AuditEntry.objects.filter(action="market.open").count() == 1


def test_an_order_is_worth_half_a_lot_at_least_where_the_market_does_not_say() -> None:
    create(minimum_notional=None)
    assert Market.objects.get().minimum_notional == 25 * 20_000 // 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"fee_bps": "20"}, "feeBps is 10"),
        ({"lot": "2"}, "lot is 1000000"),
        ({"owner_cap": None}, "ownerCap is 5000000000"),
        ({"cadence_ms": "500"}, "cadenceMs is 1000"),
        ({"pool_fee_bps": "30"}, "poolFeeBps is 0"),
        ({"max_open_orders": "7"}, "maxOpenOrders is 100"),
        ({"look_ahead": "20"}, "lookAhead is None"),
        ({"cutoff_lead_ms": "700"}, "cutoffLeadMs is None"),
        ({"lock_ms": "300"}, "lockMs is 0"),
    ],
)
def test_other_terms_for_a_market_that_is_there_are_refused(
    changes: dict[str, str | None], named: str
) -> None:
    create()
    before = Market.objects.values().get()
    with pytest.raises(CommandError, match=named):
        create(**changes)
    assert Market.objects.values().get() == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tick": "0.0000251"}, "25.1 atoms of USDC per lot"),
        ({"tick": "0"}, "the tick must be a price above 0"),
        ({"tick": "1e-999999"}, "the tick must be a price above 0"),
        ({"reference": "nan"}, "the reference must be a price above 0"),
        ({"reference": "0.50001"}, "20000.4 ticks"),
        ({"lot": "0.0000001"}, "the lot has more than 6 decimals"),
        ({"reference": "1e20"}, "64 bits"),
        ({"fee_bps": "10001"}, "the fee is from 0 to 10000"),
        ({"collar_bps": "-1"}, "the collar is from 0 to 10000"),
        ({"cadence_ms": "0"}, "the cadence is from"),
        ({"pool_fee_bps": "10000"}, "the pool's fee is from 0 to 9999"),
        ({"max_open_orders": "0"}, "from 1 to 100000"),
        ({"look_ahead": "0"}, "the look-ahead is from 1"),
        ({"look_ahead": "1001"}, "the look-ahead is from 1"),
        ({"cutoff_lead_ms": "0"}, "the cutoff's lead is from"),
        ({"cutoff_lead_ms": "60001"}, "the cutoff's lead is from"),
        ({"lock_ms": "-1"}, "the lock is shorter than the cadence"),
        ({"lock_ms": "1000"}, "the lock is shorter than the cadence"),
        ({"minimum_notional": "0.0000001"}, "the minimum notional has more"),
        ({"quote": "JUP"}, "two different tokens"),
        ({"quote": "DOGE"}, "no active token DOGE"),
    ],
)
def test_terms_that_no_market_can_have_are_refused(changes: dict[str, str], reason: str) -> None:
    quote = changes.pop("quote", "USDC")
    with pytest.raises(CommandError, match=reason):
        create("JUP", quote, **changes)
    assert not Market.objects.exists()


def test_a_mint_that_is_not_on_the_chain_or_another_is_refused(chain: Chain) -> None:
    Token.objects.filter(symbol="JUP").update(decimals=5)
    tokens.forget()
    with pytest.raises(CommandError, match="other decimals"):
        create(tick="0.0001")
    Token.objects.create(mint=str(COORDINATOR.pubkey()), symbol="NONE", name="None", decimals=6)
    tokens.forget()
    with pytest.raises(CommandError, match="no mint on this chain"):
        create("NONE", "USDC")
    assert not Market.objects.exists()


def test_a_mint_with_hazards_is_refused(chain: Chain) -> None:
    mint = non_transferable_mint(chain)
    Token.objects.create(mint=mint, symbol="STUCK", name="Stuck", decimals=6, token2022=True)
    tokens.forget()
    with pytest.raises(CommandError, match=f"{mint} cannot keep its books: non-transferable"):
        create("STUCK", "USDC")
    assert not Market.objects.exists()


def non_transferable_mint(chain: Chain) -> str:
    """A new mint of Token-2022, none of which can be moved; 6 decimals."""
    payer, mint = OWNERS[0], Keypair()
    # A mint is padded to the 165 bytes of an account; then its kind, and an empty extension.
    size = ACCOUNT.size + 1 + 4
    account = CreateAccountParams(
        from_pubkey=payer.pubkey(),
        to_pubkey=mint.pubkey(),
        lamports=rent_exempt(size),
        space=size,
        owner=TOKEN_2022_PROGRAM,
    )
    only = [AccountMeta(mint.pubkey(), False, True)]
    instructions = [
        create_account(account),
        Instruction(TOKEN_2022_PROGRAM, bytes([32]), only),  # InitializeNonTransferableMint
        # InitializeMint2: decimals, the mint authority, no freeze authority.
        Instruction(TOKEN_2022_PROGRAM, bytes([20, 6, *bytes(payer.pubkey()), 0]), only),
    ]
    latest = chain.call("getLatestBlockhash")["value"]["blockhash"]
    message = Message.new_with_blockhash(instructions, payer.pubkey(), Hash.from_string(latest))
    chain.land(message, payer, mint)
    return str(mint.pubkey())


def test_without_the_coordinators_keys_no_market_is_opened(settings: Settings) -> None:
    settings.BATCHES_KEYS_DIR = None
    adapters.forget()
    with pytest.raises(CommandError, match="BATCHES_KEYS_DIR"):
        create()


def test_the_sandboxs_markets_can_be_opened_and_have_vaults(chain: Chain) -> None:
    for market in MARKETS:
        call_command(*market.command, stdout=StringIO())
        for token in (market.base, market.quote):
            vault = str(associated_token_account(COORDINATOR.pubkey(), token))
            options = {"encoding": "base64", "commitment": "confirmed"}
            account = chain.call("getAccountInfo", vault, options)["value"]
            assert account["owner"] == str(token.program)
    found = Market.objects.values_list("name", "lot", "tick", "reference").order_by("name")
    assert list(found) == [
        ("BONK-USDC", 10**9, 10, 20_000),
        ("JUP-USDC", 10**6, 25, 20_000),
        ("SOL-USDC", 10**6, 10, 16_000),
    ]


def test_an_address_says_what_is_traded_in_which_units_and_by_whom() -> None:
    coordinator, receipts = COORDINATOR.pubkey(), RECEIPTS.pubkey()
    terms: dict[str, Any] = {
        "name": "A-B",
        "base_mint": str(BASE.mint),
        "quote_mint": str(QUOTE.mint),
        "lot": 10,
        "tick": 2,
        "coordinator": str(coordinator),
        "receipt_key": str(receipts),
    }
    others: list[dict[str, Any]] = [
        {"name": "A-C"},
        {"base_mint": str(QUOTE.mint), "quote_mint": str(BASE.mint)},
        {"lot": 2, "tick": 10},
        {"coordinator": str(receipts)},
        {"receipt_key": str(coordinator)},
    ]
    addresses = [market_address(**terms | changes) for changes in [{}, *others]]
    assert len(set(addresses)) == 1 + len(others)
    keys = b"".join(map(bytes, (BASE.mint, QUOTE.mint, coordinator, receipts)))
    units = (10).to_bytes(8, "little") + (2).to_bytes(8, "little")
    content = b"fairlane.market.1A-B" + keys + units
    assert str(Pubkey.from_bytes(sha256(content).digest())) == addresses[0]
