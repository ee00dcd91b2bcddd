"""A market's pool on a real chain: funded, traded with in batches, left out, and paid back."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now as DatabaseNow
from solders.keypair import Keypair
from uuid_utils.compat import uuid7

from batches import chain_evidence, coordinator, ledger, pools, reserves, reviews, stages
from batches.coordination import pooling
from batches.ledger import Journal, Posting
from batches.models import Account, Batch, BatchOrder, Market, Packet, Transfer
from batches.pool import Pool
from batches.pools import PoolError
from batches.records import Header, Side, TimeInForce
from batches.reserves import Reserves
from batches.stage_names import CLOSE, PULL
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, COORDINATOR, OWNER_ADDRESSES, OWNERS, PURSE, QUOTE, Chain
from batches.tests.test_company import packed
from batches.tests.test_coordination import killed_at, survive
from batches.tests.test_payouts import SOME, account, land, moving, newcomer
from batches.tests.waiting import until
from chains.solana import programs
from fairlane.core import switches
from fairlane.core.claims import MAX_CLAIMS
from fairlane.core.models import AuditEntry, Work

pytestmark = pytest.mark.django_db(transaction=True)

TREASURY = OWNERS[5]
# At half a dollar for a JUP, which is where the market's prices stand.
FULL = Reserves(10_000 * 10**6, 5_000 * 10**6)


@pytest.fixture
def pooled(chain: Chain) -> Market:
    """A market with a pool that holds nothing yet."""
    return chain.open_market(uses_pool=True, pool_fee_bps=30)


@pytest.fixture
def keyfile(tmp_path: Path) -> Path:
    file = tmp_path / "treasury.json"
    file.write_text(json.dumps(list(bytes(TREASURY))))
    return file


def fund(market: Market, source: Path, *options: str) -> str:
    said = StringIO()
    call_command(
        "fund_pool",
        market.name,
        "--base=10000",
        "--quote=5000",
        f"--from={source}",
        *options,
        stdout=said,
    )
    return said.getvalue().strip()


def filled_up(market: Market, wallet: str = OWNER_ADDRESSES[5]) -> None:
    amounts = {market.base_mint: FULL.base, market.quote_mint: FULL.quote}
    pools.fund(market, wallet=wallet, amounts=amounts, reference=str(uuid7()), by="tests")
    driving.quiet()


def held(market: Market) -> Reserves:
    return reserves.held([market.id])[market.id]


def balances(chain: Chain, wallet: str) -> tuple[int, int]:
    return chain.balance(wallet, BASE), chain.balance(wallet, QUOTE)


def traded(order: BatchOrder) -> Batch:
    """The batch that has filled the order, once all of it is paid."""
    driving.run_until(lambda: read(order).status == "FILLED")
    (batch,) = Batch.objects.filter(fills__gt=0)
    driving.settled(batch.id)
    driving.quiet()
    driving.final()
    return Batch.objects.select_related("market", "tick").get(id=batch.id)


def committed(market: Market, *orders: BatchOrder) -> Batch:
    """The batch that holds the orders, all of them, and has not cleared."""
    switches.set_switch(name=market.switch, on=False, by="tests", reason="they wait for each other")
    driving.escrowed(*orders)
    switches.set_switch(name=market.switch, on=True, by="tests", reason="all are there")

    def closed() -> bool:
        coordinator.plan()
        stages.stage(CLOSE).run()
        return read(orders[0]).batch_id is not None

    until(closed)
    (batch_id,) = {read(order).batch_id for order in orders}
    assert batch_id is not None
    return Batch.objects.get(id=batch_id)


def test_reserves_are_pulled_out_of_the_treasurys_wallet_once(
    chain: Chain, pooled: Market, keyfile: Path
) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    before = balances(chain, OWNER_ADDRESSES[5])
    # The key approves what the wallet has not.
    chain.approve(TREASURY, amount=1)
    assert fund(pooled, keyfile, "--reference=first") == "JUP-USDC first"
    assert held(pooled) == Reserves()
    driving.quiet()
    assert fund(pooled, keyfile, "--reference=first") == "JUP-USDC first (there already)"
    driving.quiet()
    chain.approve(TREASURY, amount=PURSE)
    assert held(pooled) == FULL
    after = balances(chain, OWNER_ADDRESSES[5])
    assert (before[0] - after[0], before[1] - after[1]) == (FULL.base, FULL.quote)
    driving.assert_books_agree(chain, vault)
    (entry,) = AuditEntry.objects.filter(action="market.fund_pool")
    assert entry.after is not None and entry.after["wallet"] == OWNER_ADDRESSES[5]


def test_a_wallet_that_has_not_approved_funds_nothing(chain: Chain, pooled: Market) -> None:
    chain.approve(TREASURY, amount=1)
    filled_up(pooled)
    chain.approve(TREASURY, amount=PURSE)
    assert held(pooled) == Reserves()
    reasons = Transfer.objects.filter(status="DROPPED").values_list("reason", flat=True)
    assert list(reasons) == ["the wallet's approval does not cover its orders"] * 2


def test_a_deposit_of_which_one_side_cannot_be_pulled_is_dropped_whole(
    chain: Chain, pooled: Market
) -> None:
    """Or the pool would trade at the price that the other side alone makes."""
    filled_up(pooled)
    before = balances(chain, OWNER_ADDRESSES[5])
    amounts = {pooled.base_mint: FULL.base, pooled.quote_mint: 2 * PURSE}
    wallet = OWNER_ADDRESSES[5]
    assert pools.fund(pooled, wallet=wallet, amounts=amounts, reference="lame", by="tests")
    driving.quiet()
    assert held(pooled) == FULL
    assert balances(chain, wallet) == before
    legs = pools.deposits(pooled, "lame")
    too_little = ("DROPPED", "the wallet holds too little of the token")
    assert [(leg.status, leg.reason) for leg in legs] == [too_little] * 2


def test_a_deposit_that_fails_on_chain_moves_neither_side(chain: Chain, pooled: Market) -> None:
    wallet, rich = newcomer(chain, BASE), OWNERS[5]
    address = str(wallet.pubkey())
    land(chain, moving(rich, wallet, BASE, FULL.base), signers=(rich,))
    amounts = {pooled.base_mint: FULL.base, pooled.quote_mint: SOME}
    approve_base(chain, wallet, FULL.base)
    assert pools.fund(pooled, wallet=address, amounts=amounts, reference="late", by="tests")
    other = place(pooled, limit=400, quantity=1)
    chain.break_node(dropRate=1.0)
    packed(other)
    legs = pools.deposits(pooled, "late")
    assert len({leg.packet_id for leg in legs}) == 1
    assert Transfer.objects.get(order=other.id).packet_id != legs[0].packet_id
    chain.break_node(dropRate=0)
    land(chain, moving(wallet, rich, QUOTE, 1), signers=(rich, wallet))
    Packet.objects.update(sent_at=None)
    driving.quiet()
    assert [leg.status for leg in pools.deposits(pooled, "late")] == ["DROPPED"] * 2
    assert (held(pooled), balances(chain, address)) == (Reserves(), (FULL.base, SOME - 1))


def test_half_of_a_deposit_is_never_worked_on(chain: Chain, pooled: Market, keyfile: Path) -> None:
    fund(pooled, keyfile, "--reference=first")
    _, second = pools.deposits(pooled, "first")
    Work.objects.filter(stage=PULL).update(attempts=MAX_CLAIMS, due_at=DatabaseNow())
    stages.stage(PULL).run()
    assert [leg.status for leg in pools.deposits(pooled, "first")] == ["REVIEW"] * 2
    reviews.try_again(second.id, by="user:ada", reason="a look at it")
    assert [leg.status for leg in pools.deposits(pooled, "first")] == ["DUE"] * 2
    driving.quiet()
    assert held(pooled) == FULL


def test_who_holds_too_little_is_told_before_anything_is_stored(
    chain: Chain, pooled: Market, keyfile: Path
) -> None:
    with pytest.raises(CommandError, match="holds too little"):
        call_command(
            "fund_pool",
            pooled.name,
            f"--base={2 * PURSE // 10**6}",
            "--quote=1",
            f"--from={keyfile}",
        )
    assert not Transfer.objects.exists()


def approve_base(chain: Chain, wallet: Keypair, amount: int) -> None:
    approval = programs.approve_checked(
        program=programs.token_program(token2022=False),
        source=account(wallet, BASE),
        mint=BASE.mint,
        delegate=COORDINATOR.pubkey(),
        owner=wallet.pubkey(),
        amount=amount,
        decimals=BASE.decimals,
    )
    land(chain, approval, signers=(OWNERS[5], wallet))


def test_nothing_is_put_into_a_market_without_a_pool(market: Market, keyfile: Path) -> None:
    with pytest.raises(CommandError, match="JUP-USDC has no pool"):
        fund(market, keyfile)
    assert not Transfer.objects.exists()


def test_nobody_funds_a_pool_out_of_a_wallet_whose_key_he_has_not(pooled: Market) -> None:
    # Every customer has approved the coordinator.
    with pytest.raises(CommandError, match="cannot be read"):
        fund(pooled, Path(OWNER_ADDRESSES[0]))
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, 520), (Side.SELL, 480)])
def test_what_orders_leave_goes_to_the_pool(
    chain: Chain, pooled: Market, side: Side, limit: int
) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    filled_up(pooled)
    before = balances(chain, OWNER_ADDRESSES[0])
    lots = 20
    batch = traded(place(pooled, side=side, limit=limit, quantity=lots))
    sign = 1 if side == Side.BUY else -1
    header = Header.parse(bytes(batch.header or b""))
    assert (header.pool_base, header.pool_quote, header.pool_fee_bps) == (FULL.base, FULL.quote, 30)
    assert (batch.pool_used, batch.pool_lots, batch.volume) == (True, sign * lots, lots)
    pool, base = Pool(FULL.base, FULL.quote, 30), lots * pooled.lot
    exact = pool.cost(base) if side == Side.BUY else pool.proceeds(base)
    assert batch.pool_quote == exact
    # The pool's exact price, and not a tick's, is what the owner has paid or got.
    after = balances(chain, OWNER_ADDRESSES[0])
    moved = (after[0] - before[0], after[1] - before[1])
    assert moved == (sign * base, -sign * exact - batch.fees)
    left = held(pooled)
    assert left == Reserves(FULL.base - sign * base, FULL.quote + sign * exact)
    assert left.base * left.quote >= FULL.base * FULL.quote
    driving.assert_books_agree(chain, vault)
    assert chain_evidence.verdict(batch).status == "VERIFIED"


def test_orders_that_meet_leave_the_pool_alone(chain: Chain, pooled: Market) -> None:
    filled_up(pooled)
    buy = place(pooled, limit=500, quantity=5)
    sell = place(pooled, OWNERS[1], side=Side.SELL, limit=500, quantity=5)
    driving.escrowed(buy, sell)
    batch = traded(buy)
    assert (batch.price, batch.pool_used, batch.pool_lots) == (500, True, 0)
    assert held(pooled) == FULL
    assert chain_evidence.verdict(batch).status == "VERIFIED"


def test_a_pool_that_is_not_used_is_in_no_header(chain: Chain, pooled: Market) -> None:
    filled_up(pooled)
    Market.objects.update(uses_pool=False)
    order = place(pooled, limit=520, quantity=5)
    driving.run_until(lambda: read(order).age > 0)
    batch = Batch.objects.filter(orders=1, status="SETTLED")[0]
    assert Header.parse(bytes(batch.header or b"")).pool_base == 0
    assert (batch.pool_used, read(order).status) == (False, "OPEN")


def test_reserves_are_promised_to_one_batch_at_a_time(chain: Chain, pooled: Market) -> None:
    filled_up(pooled)
    assert pooling.offered([pooled.id]) == {pooled.id: Pool(FULL.base, FULL.quote, 30)}
    order = place(pooled, limit=520, quantity=5)
    committed(pooled, order)
    assert pooling.offered([pooled.id]) == {}
    with pytest.raises(CommandError, match="a batch has committed to the reserves"):
        call_command("drain_pool", pooled.name)
    assert held(pooled) == FULL
    batch = traded(order)
    left = held(pooled)
    assert pooling.offered([pooled.id]) == {pooled.id: Pool(left.base, left.quote, 30)}
    assert left.base == FULL.base - batch.pool_lots * pooled.lot


def test_without_the_reserves_of_the_header_the_batch_executes_without_a_pool(
    chain: Chain, pooled: Market
) -> None:
    filled_up(pooled)
    order = place(pooled, limit=520, quantity=5, time_in_force=TimeInForce.ONE_BATCH)
    meeting = place(pooled, OWNERS[1], side=Side.SELL, limit=520, quantity=2)
    batch = committed(pooled, order, meeting)
    assert batch.pool_used
    lost = Journal()
    lost.add(Posting("lost", pooled.id, pooled.quote_mint, Account.POOL, Account.FEES, 1))
    lost.post()
    driving.run_until(lambda: read(meeting).status == "FILLED")
    driving.settled(batch.id)
    batch = Batch.objects.select_related("market", "tick").get(id=batch.id)
    assert (batch.pool_used, batch.pool_lots, batch.volume) == (False, 0, 2)
    assert held(pooled) == Reserves(FULL.base, FULL.quote - 1)
    verdict = chain_evidence.verdict(batch)
    assert (verdict.status, verdict.holds(6)) == ("UNCERTAIN", None)
    assert "what became of the reserves that the header names" in verdict.reasons


def test_what_a_pool_holds_is_paid_back(chain: Chain, pooled: Market) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    before = balances(chain, OWNER_ADDRESSES[5])
    filled_up(pooled)
    said = StringIO()
    call_command("drain_pool", pooled.name, stdout=said)
    assert said.getvalue() == f"10000 JUP and 5000 USDC for {OWNER_ADDRESSES[5]}\n"
    assert held(pooled) == Reserves()
    driving.quiet()
    assert balances(chain, OWNER_ADDRESSES[5]) == before
    driving.assert_books_agree(chain, vault)
    with pytest.raises(CommandError, match="the pool is empty"):
        call_command("drain_pool", pooled.name)
    with pytest.raises(PoolError):
        pools.drain(pooled, wallet=OWNER_ADDRESSES[0], by="tests")


def test_whom_to_pay_is_asked_where_several_have_funded(chain: Chain, pooled: Market) -> None:
    filled_up(pooled)
    filled_up(pooled, OWNER_ADDRESSES[4])
    with pytest.raises(CommandError, match="say whom to pay"):
        call_command("drain_pool", pooled.name)
    call_command("drain_pool", pooled.name, f"--to={OWNER_ADDRESSES[4]}", stdout=StringIO())
    assert held(pooled) == Reserves()


@pytest.mark.parametrize(
    "point",
    [
        "batches.close.persisted",
        "batches.clear.before_persist",
        "batches.clear.persisted",
        "batches.land.before_persist",
    ],
)
def test_a_process_that_dies_trades_with_the_pool_once(
    chain: Chain, pooled: Market, point: str
) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    filled_up(pooled)
    before = balances(chain, OWNER_ADDRESSES[0])
    order = place(pooled, limit=520, quantity=20)
    with killed_at(point) as reached:

        def done() -> bool:
            survive(coordinator.run)
            over = read(order).status == "FILLED"
            return over and not Transfer.objects.exclude(status="DONE").exists()

        until(done)
    assert point in reached
    (batch,) = Batch.objects.filter(fills__gt=0)
    left = held(pooled)
    assert left == Reserves(FULL.base - 20 * pooled.lot, FULL.quote + batch.pool_quote)
    after = balances(chain, OWNER_ADDRESSES[0])
    assert after[0] - before[0] == 20 * pooled.lot
    assert before[1] - after[1] == batch.pool_quote + batch.fees
    driving.assert_books_agree(chain, vault)
    assert -ledger.balances(pooled.base_mint)["pool"] == left.base
