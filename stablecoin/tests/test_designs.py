"""Mints and redeems on contracts of profiles B and C: what differs from A, on a real chain."""

import io
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from eth_account import Account as EthAccount
from eth_utils.crypto import keccak
from web3.contract import Contract

from chains import registry as adapters
from sandbox.evm import DEPLOYER, HOLDERS, RELAYERS
from stablecoin import domains, intake, ledger, reconciliation, registry
from stablecoin.artifacts import artifact
from stablecoin.intake import NewRequest
from stablecoin.models import Approval, Chain, ChainLog, Request
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

HOLDER = HOLDERS[0]
NAME = "0x" + keccak(text="a redeem").hex()


def install(outside: Outside, profile: str, *arguments: object) -> Contract:
    """Have a contract of a profile on the chain, and the chain's row say so."""
    found = artifact(f"Design{profile}")
    web3 = outside.web3
    creation = web3.eth.contract(abi=found.abi, bytecode=found.bytecode).constructor(*arguments)
    call = creation.build_transaction(
        {
            "from": DEPLOYER.address,
            "nonce": web3.eth.get_transaction_count(web3.to_checksum_address(DEPLOYER.address)),
            "gas": 3_000_000,
        }
    )
    signed = EthAccount.from_key(DEPLOYER.key).sign_transaction(call)
    sent = web3.eth.send_raw_transaction(signed.raw_transaction)
    outside.mine()
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    address = receipt["contractAddress"]
    assert receipt["status"] == 1 and address is not None
    Chain.objects.filter(chain_id=CHAIN).update(profile=profile, contract=address)
    settings.EVM_CHAINS[CHAIN] = replace(settings.EVM_CHAINS[CHAIN], profile=profile)
    registry.forget()
    domains.forget()
    contract: Contract = web3.eth.contract(address=address, abi=found.abi)
    return contract


@pytest.fixture
def design_b(outside: Outside) -> Contract:
    return install(outside, "B", adapters.approval_signer().address())


@pytest.fixture
def design_c(outside: Outside) -> Contract:
    approver = adapters.approval_signer().address()
    return install(outside, "C", approver, RELAYERS[CHAIN].address)


def mint(outside: Outside, amount: int) -> Request:
    """Everything about one mint, to its end."""
    name = outside.approve(user=HOLDER.address, amount=str(amount))
    driving.hear(outside)
    driving.admit_and_sign()
    driving.complete(outside)
    return driving.request(name)


def bury(outside: Outside) -> None:
    """Let what is in the newest block be final, and be applied."""
    outside.mine(5)
    driving.listen()


def assert_books_agree(token: Contract) -> None:
    balances = ledger.balances(CHAIN)
    assert sum(balances.values()) == balances["locked"] == 0
    assert -balances["issued"] == token.functions.totalSupply().call()
    chain, node = registry.chains()[CHAIN], adapters.evm(CHAIN)
    sides = adapters.run(reconciliation.compare(chain, node))
    assert sides is not None and sides.agree and sides.locked_on_chain is None


@pytest.mark.parametrize("profile", ["design_b", "design_c"])
def test_mints_to_one_account_are_numbered_and_go_one_by_one(
    outside: Outside, profile: str, request: pytest.FixtureRequest
) -> None:
    token: Contract = request.getfixturevalue(profile)
    names = [outside.approve(user=HOLDER.address, amount=str(n * TOKEN)) for n in (1, 2)]
    driving.hear(outside)
    driving.admit_and_sign()
    first, second = (driving.request(name) for name in names)
    assert (first.status, second.status) == ("SIGNED", "QUEUED")
    driving.complete(outside)
    assert driving.request(names[0]).status == "COMPLETED"
    driving.admit_and_sign()
    driving.complete(outside)
    assert driving.request(names[1]).status == "COMPLETED"
    assert [int(a.nonce) for a in Approval.objects.order_by("id")] == [0, 1]
    assert token.functions.nonces(HOLDER.address).call() == 2
    assert token.functions.balanceOf(HOLDER.address).call() == 3 * TOKEN
    logs = ChainLog.objects.filter(kind="minted").order_by("id")
    assert [log.request_id for log in logs] == ["0x" + keccak(text=n).hex() for n in names]
    assert_books_agree(token)


@pytest.mark.parametrize("told_first", ["chain", "bank"])
def test_b_burns_when_it_finalizes_and_names_the_banks_reference(
    outside: Outside, design_b: Contract, told_first: str
) -> None:
    assert mint(outside, 5 * TOKEN).status == "COMPLETED"
    for who in ("chain", "bank") if told_first == "chain" else ("bank", "chain"):
        driving.admit_and_sign()
        assert not Approval.objects.filter(request__kind="redeem").exists()
        if who == "chain":
            ask_for_redeem(outside, design_b)
        else:
            pay("REF-1")
    assert design_b.functions.totalSupply().call() == 5 * TOKEN
    assert_books_agree(design_b)
    driving.admit_and_sign()
    driving.complete(outside)
    redeem = Request.objects.get(kind="redeem")
    assert (redeem.status, redeem.reference) == ("COMPLETED", "REF-1")
    (event,) = design_b.events.RedeemFinalized().get_logs(from_block=0)
    assert event["args"]["bankRef"] == "REF-1"
    assert design_b.functions.totalSupply().call() == 3 * TOKEN
    assert_books_agree(design_b)


def ask_for_redeem(outside: Outside, token: Contract) -> None:
    asked = token.functions.requestRedeem(bytes.fromhex(NAME[2:]), 2 * TOKEN)
    outside.transact(HOLDER, asked)
    bury(outside)


def pay(reference: str) -> None:
    """The back office tells how the bank knows the payment."""
    payment = NewRequest(
        kind="redeem",
        chain_id=CHAIN,
        request_id=NAME,
        wallet=HOLDER.address,
        amount=2 * TOKEN,
        source="api",
        created_by="key:bank",
        reference=reference,
    )
    intake.receive([payment], contests=False)


def test_a_reference_does_not_change_once_a_redeem_is_judged(
    outside: Outside, design_b: Contract
) -> None:
    mint(outside, 5 * TOKEN)
    ask_for_redeem(outside, design_b)
    redeem = Request.objects.get(kind="redeem")
    pay("REF-1")
    driving.admit_and_sign()
    pay("REF-2")
    redeem.refresh_from_db()
    assert (redeem.status, redeem.reference) == ("SIGNED", "REF-1")


def test_a_redeem_of_c_is_complete_with_its_event(outside: Outside, design_c: Contract) -> None:
    assert mint(outside, 5 * TOKEN).status == "COMPLETED"
    first = outside.transact(HOLDER, design_c.functions.requestRedeem(2 * TOKEN))
    outside.transact(HOLDER, design_c.functions.requestRedeem(TOKEN))
    bury(outside)
    redeems = Request.objects.filter(kind="redeem").order_by("created_at", "id")
    assert [(r.status, int(r.amount)) for r in redeems] == [
        ("COMPLETED", 2 * TOKEN),
        ("COMPLETED", TOKEN),
    ]
    assert redeems[0].transaction_hash == first
    assert redeems[0].request_id == f"{first}-1"
    driving.admit_and_sign()
    driving.listen()
    assert not Approval.objects.filter(request__kind="redeem").exists()
    assert driving.history(redeems[0].id) == ["RECEIVED", "COMPLETED"]
    assert design_c.functions.totalSupply().call() == 2 * TOKEN
    assert_books_agree(design_c)


def test_a_contract_that_is_there_already_is_recorded(design_b: Contract) -> None:
    Chain.objects.filter(chain_id=CHAIN).update(contract="", profile="A")
    with pytest.raises(CommandError, match="of another design"):
        call_command("deploy_stablecoin", CHAIN)
    with pytest.raises(CommandError, match="is no token"):
        call_command("deploy_stablecoin", CHAIN, existing=HOLDER.address)
    said = io.StringIO()
    call_command(
        "deploy_stablecoin", CHAIN, existing=design_b.address.lower(), from_block=7, stdout=said
    )
    chain = Chain.objects.get(chain_id=CHAIN)
    assert said.getvalue() == f"{CHAIN} {design_b.address}\n"
    assert (chain.profile, chain.contract, chain.deployed_block) == ("B", design_b.address, 7)
