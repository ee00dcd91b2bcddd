"""Who is paid where: owners' accounts are their own affair, and cost the coordinator nothing."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now as DatabaseNow
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey

from batches import acceptance, reviews, stages
from batches.models import BatchOrder, Market, Packet, Transfer
from batches.moving.payouts import LATEST, SOONEST, _delay_ms
from batches.records import Side
from batches.stage_names import LAND, PAY, PULL
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, COORDINATOR, OWNERS, QUOTE, Chain, token
from batches.tests.waiting import until
from chains.solana import programs
from chains.solana.swap import token_account
from fairlane.core.errors import Problem
from fairlane.core.models import AuditEntry, Work

pytestmark = pytest.mark.django_db(transaction=True)

CLOSE_ACCOUNT = bytes([9])
SOME = 50_000_000


def land(chain: Chain, *instructions: Instruction, signers: tuple[Keypair, ...]) -> None:
    blockhash = Hash.from_string(chain.call("getLatestBlockhash")["value"]["blockhash"])
    payer = signers[0].pubkey()
    chain.land(Message.new_with_blockhash(list(instructions), payer, blockhash), *signers)


def account(wallet: Keypair, which: object) -> Pubkey:
    return Pubkey.from_string(token_account(str(wallet.pubkey()), token(which)))


def opening(wallet: Keypair, which: object) -> Instruction:
    mint = Pubkey.from_string(token(which).mint)
    return programs.create_token_account(
        payer=OWNERS[5].pubkey(),
        address=account(wallet, which),
        owner=wallet.pubkey(),
        mint=mint,
        program=programs.token_program(token2022=False),
    )


def moving(source: Keypair, target: Keypair, which: object, amount: int) -> Instruction:
    its = token(which)
    return programs.transfer_checked(
        program=programs.token_program(token2022=False),
        source=account(source, which),
        mint=Pubkey.from_string(its.mint),
        destination=account(target, which),
        authority=source.pubkey(),
        amount=amount,
        decimals=its.decimals,
    )


def closing(wallet: Keypair, which: object) -> Instruction:
    """Close an account that is empty, and keep its rent."""
    return Instruction(
        programs.token_program(token2022=False),
        CLOSE_ACCOUNT,
        [
            AccountMeta(account(wallet, which), is_signer=False, is_writable=True),
            AccountMeta(wallet.pubkey(), is_signer=False, is_writable=True),
            AccountMeta(wallet.pubkey(), is_signer=True, is_writable=False),
        ],
    )


def newcomer(chain: Chain, *tokens: object) -> Keypair:
    """A wallet with some quote and accounts of these tokens, that lets escrow be pulled."""
    wallet, rich = Keypair(), OWNERS[5]
    opened = [opening(wallet, which) for which in (QUOTE, *tokens)]
    land(chain, *opened, moving(rich, wallet, QUOTE, SOME), signers=(rich,))
    approval = programs.approve_checked(
        program=programs.token_program(token2022=False),
        source=account(wallet, QUOTE),
        mint=Pubkey.from_string(token(QUOTE).mint),
        delegate=COORDINATOR.pubkey(),
        owner=wallet.pubkey(),
        amount=SOME,
        decimals=QUOTE.decimals,
    )
    land(chain, approval, signers=(rich, wallet))
    return wallet


def lamports(chain: Chain, address: Pubkey) -> int:
    found: int = chain.call("getBalance", str(address), {"commitment": "confirmed"})["value"]
    return found


def payout() -> Transfer:
    return Transfer.objects.select_related("packet").get(direction="PAY")


def look_again() -> None:
    Work.objects.filter(stage=PAY).update(due_at=DatabaseNow())
    stages.stage(PAY).run()


def paid_back(chain: Chain, wallet: Keypair, market: Market) -> BatchOrder:
    """An order of all that a wallet has, whose account is closed before it is paid back."""
    order = place(market, wallet, limit=400, quantity=1)
    driving.escrowed(order)
    assert read(order).status == "OPEN"
    rest = chain.balance(str(wallet.pubkey()), QUOTE)
    empty = moving(wallet, OWNERS[5], QUOTE, rest), closing(wallet, QUOTE)
    land(chain, *empty, signers=(OWNERS[5], wallet))
    acceptance.cancel(order.id, reason="asked for")
    driving.run_until(lambda: read(order).status == "CANCELLED")
    return order


def test_who_has_no_account_to_be_paid_into_has_no_order(chain: Chain, market: Market) -> None:
    order = place(market, newcomer(chain), quantity=1)
    driving.escrowed(order)
    assert read(order).status == "REJECTED"
    assert read(order).reason == "the wallet has no account of the token that it would be paid in"


def test_a_buyer_who_never_had_the_token_is_paid_into_an_account_of_its_own(
    chain: Chain, market: Market
) -> None:
    vault, wallet = (chain.vault(BASE), chain.vault(QUOTE)), newcomer(chain, BASE)
    buy = place(market, wallet, limit=500, quantity=2)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=2)
    driving.run_until(lambda: read(buy).status == read(sell).status == "FILLED")
    driving.quiet()
    assert chain.balance(str(wallet.pubkey()), BASE) == 2 * market.lot
    driving.assert_books_agree(chain, vault)


def test_a_refund_to_an_account_that_was_closed_waits_until_it_is_there_again(
    chain: Chain, market: Market
) -> None:
    vault, wallet = (chain.vault(BASE), chain.vault(QUOTE)), newcomer(chain, BASE)
    order = paid_back(chain, wallet, market)
    before = lamports(chain, COORDINATOR.pubkey())
    for _ in range(3):
        look_again()
    assert (payout().status, payout().packet) == ("DUE", None)
    assert payout().reason == "the wallet has no account of the token"
    assert lamports(chain, COORDINATOR.pubkey()) == before
    # Nobody else waits for it.
    other = place(market, OWNERS[2], quantity=1)
    driving.escrowed(other)
    assert read(other).status == "OPEN"
    land(chain, opening(wallet, QUOTE), signers=(OWNERS[5],))
    look_again()
    assert payout().status == "PACKED"
    driving.quiet()
    assert chain.balance(str(wallet.pubkey()), QUOTE) == int(order.escrow)
    assert payout().reason == ""
    driving.assert_books_agree(chain, vault)


def test_a_person_may_have_it_paid_anyway(chain: Chain, market: Market) -> None:
    vault, wallet = (chain.vault(BASE), chain.vault(QUOTE)), newcomer(chain, BASE)
    order = paid_back(chain, wallet, market)
    look_again()
    reviews.pay_anyway(payout().id, by="user:ada", reason="asked nicely")
    driving.quiet()
    assert payout().status == "DONE"
    assert chain.balance(str(wallet.pubkey()), QUOTE) == int(order.escrow)
    driving.assert_books_agree(chain, vault)
    assert AuditEntry.objects.get(action="transfer.pay_anyway").reason == "asked nicely"
    with pytest.raises(Problem):
        reviews.pay_anyway(payout().id, by="user:ada", reason="again")


def test_an_account_that_is_closed_at_the_last_moment_fails_one_transaction_and_then_waits(
    chain: Chain, market: Market
) -> None:
    vault, wallet = (chain.vault(BASE), chain.vault(QUOTE)), newcomer(chain, BASE)
    paid_back(chain, wallet, market)
    land(chain, opening(wallet, QUOTE), signers=(OWNERS[5],))
    chain.break_node(dropRate=1.0)
    look_again()
    assert payout().status == "PACKED"
    chain.break_node(dropRate=0)
    land(chain, closing(wallet, QUOTE), signers=(OWNERS[5], wallet))
    Packet.objects.update(sent_at=None)

    def failed() -> bool:
        stages.stage(LAND).run()
        return Packet.objects.filter(status="FAILED").exists()

    until(failed)
    look_again()
    assert (payout().status, payout().packet) == ("DUE", None)
    assert payout().reason == "the wallet has no account of the token"
    land(chain, opening(wallet, QUOTE), signers=(OWNERS[5],))
    look_again()
    driving.quiet()
    assert payout().status == "DONE"
    driving.assert_books_agree(chain, vault)


def test_it_is_looked_for_again_after_as_long_as_it_has_waited() -> None:
    assert _delay_ms(timedelta(0)) == SOONEST / timedelta(milliseconds=1)
    assert _delay_ms(timedelta(minutes=3)) == 180_000
    assert _delay_ms(timedelta(days=3)) == LATEST / timedelta(milliseconds=1)


def test_a_pull_that_was_cancelled_meanwhile_is_not_packed(chain: Chain, market: Market) -> None:
    from fairlane.core import checkpoints

    order = place(market)

    def cancel(name: str) -> None:
        if name == f"{PULL}.before_persist":
            # The work is held by then: as if it had been withdrawn too late.
            Transfer.objects.filter(order=order).update(status="DROPPED")

    checkpoints.observe(cancel)
    try:
        stages.stage(PULL).run()
    finally:
        checkpoints._observers.remove(cancel)
    assert not Packet.objects.exists()
    assert not Work.objects.filter(stage=PULL).exists()
