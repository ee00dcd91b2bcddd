"""The shipped contract: what it takes, what it refuses, and what it tells, rule by rule."""

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

from chains.kms import CURVE_ORDER
from sandbox.evm import HOLDERS, OUTSIDER
from stablecoin.profiles import MintTerms
from stablecoin.tests.deployed import (
    ADMIN,
    APPROVER,
    FAR,
    PER_TRANSACTION,
    RELAYER,
    TOTAL,
    A,
    Deployed,
    signer,
)
from stablecoin.tests.outside import CHAIN, TOKEN

HOLDER, OTHER = HOLDERS[0].address, HOLDERS[1].address
MAX = 2**256 - 1


def role(name: str) -> bytes:
    return keccak(text=name)


def test_what_the_key_service_approved_is_minted_and_told_of(deployed: Deployed) -> None:
    terms = deployed.mint_terms(HOLDER, 5 * TOKEN)
    events = deployed.send(RELAYER, deployed.mint_call(terms))
    assert events == [("Minted", terms.request_id, HOLDER, 5 * TOKEN)]
    assert deployed.ask("balanceOf", HOLDER) == deployed.ask("totalSupply") == 5 * TOKEN
    assert deployed.ask("isProcessed", terms.request_id)
    assert deployed.ask("isNonceUsed", HOLDER, terms.nonce)


def test_a_redeem_is_locked_and_burned_when_the_key_service_approved(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 5 * TOKEN)
    ((name, request_id, who, amount),) = deployed.send(
        HOLDER, deployed.call("requestRedeem", 2 * TOKEN)
    )
    assert (name, who, amount) == ("RedeemRequested", HOLDER, 2 * TOKEN)
    assert deployed.ask("redeemRequest", request_id) == (HOLDER, 2 * TOKEN, 1)
    assert deployed.ask("lockedAmount") == deployed.ask("balanceOf", deployed.address) == 2 * TOKEN
    assert deployed.ask("totalSupply") == 5 * TOKEN
    terms = deployed.redeem_terms(str(request_id), HOLDER, 2 * TOKEN)
    events = deployed.send(RELAYER, deployed.redeem_call(terms))
    assert events == [("Redeemed", request_id, HOLDER, 2 * TOKEN)]
    assert deployed.ask("totalSupply") == deployed.ask("balanceOf", HOLDER) == 3 * TOKEN
    assert deployed.ask("lockedAmount") == deployed.ask("balanceOf", deployed.address) == 0
    assert deployed.ask("redeemRequest", request_id)[2] == 2


def test_the_domain_is_told_as_erc_5267_has_it(deployed: Deployed) -> None:
    fields, name, version, chain_id, address, salt, extensions = deployed.ask("eip712Domain")
    assert (fields, name, version, chain_id) == (b"\x0f", "Stablecoin", "1", CHAIN)
    assert (address, salt, extensions) == (deployed.address, bytes(32), ())


def test_a_request_id_is_good_for_one_mint_for_ever(deployed: Deployed) -> None:
    terms = deployed.mint()
    again = replace(deployed.mint_terms(OTHER, 2 * TOKEN), request_id=terms.request_id)
    for repeated in (terms, again):
        refused = deployed.refusal(RELAYER, deployed.mint_call(repeated))
        assert refused == ("RequestAlreadyProcessed", terms.request_id)
    assert deployed.ask("totalSupply") == TOKEN


def test_a_nonce_is_good_for_one_approval_of_an_account(deployed: Deployed) -> None:
    terms = deployed.mint()
    again = replace(deployed.mint_terms(), nonce=terms.nonce)
    refused = deployed.refusal(RELAYER, deployed.mint_call(again))
    assert refused == ("NonceAlreadyUsed", HOLDER, terms.nonce)
    redeem = replace(deployed.redeem(), nonce=terms.nonce)
    refused = deployed.refusal(RELAYER, deployed.redeem_call(redeem))
    assert refused == ("NonceAlreadyUsed", HOLDER, terms.nonce)
    deployed.send(RELAYER, deployed.mint_call(replace(again, to=OTHER)))


def test_nonces_come_in_any_order(deployed: Deployed) -> None:
    for nonce in (MAX, 7, 0, 6):
        deployed.send(RELAYER, deployed.mint_call(replace(deployed.mint_terms(), nonce=nonce)))
    assert deployed.ask("totalSupply") == 4 * TOKEN


def test_an_approval_is_good_up_to_its_deadline_and_no_second_longer(deployed: Deployed) -> None:
    last = deployed.now() + 100
    terms = [replace(deployed.mint_terms(), deadline=last) for _ in range(2)]
    calls = [deployed.mint_call(t, signer(APPROVER)) for t in terms]
    deployed.rpc("evm_setNextBlockTimestamp", last)
    deployed.send(RELAYER, calls[0])
    deployed.rpc("evm_setNextBlockTimestamp", last + 1)
    assert deployed.refusal(RELAYER, calls[1]) == ("ApprovalExpired", last)
    redeem = replace(deployed.redeem(), deadline=last)
    assert deployed.refusal(RELAYER, deployed.redeem_call(redeem)) == ("ApprovalExpired", last)


def test_only_an_approvers_signature_counts(deployed: Deployed) -> None:
    stranger = signer(OUTSIDER)
    refused = deployed.refusal(RELAYER, deployed.mint_call(deployed.mint_terms(), stranger))
    assert refused == ("InvalidApproval", OUTSIDER.address)
    deployed.mint()
    refused = deployed.refusal(RELAYER, deployed.redeem_call(deployed.redeem(), stranger))
    assert refused == ("InvalidApproval", OUTSIDER.address)


def test_an_approver_who_is_one_no_more_approves_nothing(deployed: Deployed) -> None:
    data = deployed.mint_call(deployed.mint_terms(), signer(APPROVER))
    revoke = deployed.call("revokeRole", role("APPROVER_ROLE"), APPROVER.address)
    assert deployed.send(ADMIN, revoke)[0][0] == "RoleRevoked"
    assert deployed.refusal(RELAYER, data) == ("InvalidApproval", APPROVER.address)


@pytest.mark.parametrize(
    "change",
    [{"request_id": "x"}, {"to": OTHER}, {"amount": 2}, {"nonce": 9}, {"deadline": FAR + 1}],
)
def test_a_mint_that_differs_from_its_approval_is_refused(
    deployed: Deployed, change: dict[str, object]
) -> None:
    terms = deployed.mint_terms()
    other = replace(terms, **change)  # type: ignore[arg-type]
    signature = signer(APPROVER)(_digest(deployed, terms))
    refused = deployed.refusal(RELAYER, _call(other, signature))
    assert refused[0] == "InvalidApproval"
    assert deployed.ask("totalSupply") == 0


def test_an_approval_is_for_one_contract_on_one_chain(deployed: Deployed) -> None:
    own = deployed.domain
    for elsewhere in (
        replace(own, chain_id=CHAIN + 1),
        replace(own, contract=OTHER),
        replace(own, name="Other"),
        replace(own, version="2"),
    ):
        data = deployed.mint_call(deployed.mint_terms(), signer(APPROVER), elsewhere)
        assert deployed.refusal(RELAYER, data)[0] == "InvalidApproval"


def test_a_mints_approval_finalizes_no_redeem(deployed: Deployed) -> None:
    deployed.mint()
    redeem = deployed.redeem()
    mint = replace(deployed.mint_terms(), request_id=redeem.request_id, nonce=redeem.nonce)
    digest = _digest(deployed, mint)
    data = deployed.redeem_call(redeem, lambda _: signer(APPROVER)(digest))
    assert deployed.refusal(RELAYER, data)[0] == "InvalidApproval"


def test_a_signature_has_one_form(deployed: Deployed) -> None:
    terms = deployed.mint_terms()
    signature = signer(APPROVER)(_digest(deployed, terms))
    r, s, v = signature[:32], int.from_bytes(signature[32:64]), signature[64]
    high = (CURVE_ORDER - s).to_bytes(32)
    compact = r + ((v - 27 << 255) | s).to_bytes(32)
    for bad, error in (
        (r + high + bytes([55 - v]), ("ECDSAInvalidSignatureS", high)),
        (signature[:64] + bytes([v - 27]), ("ECDSAInvalidSignature",)),
        (bytes(65), ("ECDSAInvalidSignature",)),
        (compact, ("ECDSAInvalidSignatureLength", 64)),
        (signature + b"\0", ("ECDSAInvalidSignatureLength", 66)),
        (b"", ("ECDSAInvalidSignatureLength", 0)),
    ):
        assert deployed.refusal(RELAYER, _call(terms, bad)) == error
    deployed.send(RELAYER, _call(terms, signature))


def test_a_mint_is_at_most_what_one_may_be(deployed: Deployed) -> None:
    deployed.mint(HOLDER, PER_TRANSACTION)
    for amount in (PER_TRANSACTION + 1, MAX):
        data = deployed.mint_call(deployed.mint_terms(HOLDER, amount))
        refused = deployed.refusal(RELAYER, data)
        assert refused == ("TransactionCapExceeded", amount, PER_TRANSACTION)


def test_there_is_never_more_than_the_cap_of_all(deployed: Deployed) -> None:
    told = deployed.send(ADMIN, deployed.call("setCaps", TOTAL, TOTAL))
    assert told == [("CapsChanged", TOTAL, TOTAL)]
    deployed.mint(HOLDER, TOTAL - 1)
    data = deployed.mint_call(deployed.mint_terms(OTHER, 2))
    assert deployed.refusal(RELAYER, data) == ("TotalCapExceeded", 2, 1)
    deployed.mint(OTHER, 1)
    assert deployed.ask("totalSupply") == TOTAL


def test_caps_hold_at_the_edge_of_what_a_number_can_be(deployed: Deployed) -> None:
    deployed.mint()
    deployed.send(ADMIN, deployed.call("setCaps", MAX, MAX))
    data = deployed.mint_call(deployed.mint_terms(OTHER, MAX))
    assert deployed.refusal(RELAYER, data) == ("TotalCapExceeded", MAX, MAX - TOKEN)
    deployed.mint(OTHER, MAX - TOKEN)
    assert deployed.ask("totalSupply") == MAX


def test_a_cap_below_what_there_is_lets_nothing_more_be_minted(deployed: Deployed) -> None:
    deployed.mint()
    deployed.send(ADMIN, deployed.call("setCaps", TOKEN, TOKEN - 1))
    data = deployed.mint_call(deployed.mint_terms(OTHER, 1))
    assert deployed.refusal(RELAYER, data) == ("TotalCapExceeded", 1, 0)


def test_nothing_is_no_amount(deployed: Deployed) -> None:
    data = deployed.mint_call(deployed.mint_terms(HOLDER, 0))
    assert deployed.refusal(RELAYER, data) == ("ZeroAmount",)
    assert deployed.refusal(HOLDER, deployed.call("requestRedeem", 0)) == ("ZeroAmount",)


def test_redeems_too_small_to_be_worth_their_gas_are_refused(deployed: Deployed) -> None:
    deployed.mint()
    told = deployed.send(ADMIN, deployed.call("setMinRedeem", TOKEN // 2))
    assert told == [("MinRedeemChanged", TOKEN // 2)]
    refused = deployed.refusal(HOLDER, deployed.call("requestRedeem", TOKEN // 2 - 1))
    assert refused == ("RedeemTooSmall", TOKEN // 2 - 1, TOKEN // 2)
    deployed.redeem(HOLDER, TOKEN // 2)


def test_who_was_not_identified_neither_gets_nor_gives(deployed: Deployed) -> None:
    unknown = ("NotVerified", OUTSIDER.address)
    data = deployed.mint_call(deployed.mint_terms(OUTSIDER.address))
    assert deployed.refusal(RELAYER, data) == unknown
    deployed.mint()
    transfer = deployed.call("transfer", OUTSIDER.address, 1)
    assert deployed.refusal(HOLDER, transfer) == unknown
    deployed.verify(HOLDER, verified=False)
    for data in (deployed.call("transfer", OTHER, 1), deployed.call("requestRedeem", 1)):
        assert deployed.refusal(HOLDER, data) == ("NotVerified", HOLDER)


def test_who_is_frozen_neither_gets_nor_gives_nor_moves(deployed: Deployed) -> None:
    deployed.mint()
    deployed.mint(OTHER)
    deployed.send(HOLDER, deployed.call("approve", OTHER, TOKEN))
    deployed.send(OTHER, deployed.call("approve", HOLDER, TOKEN))
    told = deployed.send(ADMIN, deployed.call("setFrozen", HOLDER, True))
    assert told == [("FrozenChanged", HOLDER, True)]
    frozen = ("AccountFrozen", HOLDER)
    assert deployed.refusal(RELAYER, deployed.mint_call(deployed.mint_terms())) == frozen
    assert deployed.refusal(HOLDER, deployed.call("requestRedeem", 1)) == frozen
    assert deployed.refusal(HOLDER, deployed.call("transfer", OTHER, 1)) == frozen
    assert deployed.refusal(OTHER, deployed.call("transfer", HOLDER, 1)) == frozen
    assert deployed.refusal(OTHER, deployed.call("transferFrom", HOLDER, OTHER, 1)) == frozen
    third = HOLDERS[2].address
    assert deployed.refusal(HOLDER, deployed.call("transferFrom", OTHER, third, 1)) == frozen
    deployed.freeze(HOLDER, False)
    deployed.send(HOLDER, deployed.call("transferFrom", OTHER, third, 1))


def test_a_holder_who_was_frozen_meanwhile_waits_or_gets_it_back(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 2 * TOKEN)
    first, second = deployed.redeem(), deployed.redeem()
    deployed.freeze(HOLDER)
    data = deployed.redeem_call(first)
    assert deployed.refusal(RELAYER, data) == ("AccountFrozen", HOLDER)
    told = deployed.send(APPROVER.address, deployed.call("cancelRedeem", second.request_id))
    assert told == [("RedeemCancelled", second.request_id, HOLDER, TOKEN)]
    deployed.freeze(HOLDER, False)
    deployed.send(RELAYER, data)
    assert deployed.ask("balanceOf", HOLDER) == deployed.ask("totalSupply") == TOKEN


def test_a_redeem_is_decided_once(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 3 * TOKEN)
    finalized, cancelled = deployed.redeem(), deployed.redeem()
    deployed.send(RELAYER, deployed.redeem_call(finalized))
    deployed.send(APPROVER.address, deployed.call("cancelRedeem", cancelled.request_id))
    for terms in (finalized, cancelled, replace(finalized, request_id="nobody's")):
        refused = ("RedeemNotPending", terms.request_id)
        again = replace(terms, nonce=terms.nonce + 1_000)
        assert deployed.refusal(RELAYER, deployed.redeem_call(again)) == refused
        cancel = deployed.call("cancelRedeem", terms.request_id)
        assert deployed.refusal(APPROVER.address, cancel) == refused
    assert deployed.ask("totalSupply") == deployed.ask("balanceOf", HOLDER) == 2 * TOKEN


def test_a_redeem_is_finalized_as_it_was_asked_for(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 2 * TOKEN)
    terms = deployed.redeem()
    for other in (replace(terms, holder=OTHER), replace(terms, amount=TOKEN + 1)):
        refused = deployed.refusal(RELAYER, deployed.redeem_call(other))
        assert refused == ("RedeemMismatch", terms.request_id)


def test_redeems_have_names_of_their_own(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 3 * TOKEN)
    deployed.mint(OTHER)
    names = {deployed.redeem(who).request_id for who in (HOLDER, HOLDER, OTHER, HOLDER)}
    assert len(names) == 4
    assert all(len(name) == 66 and name.startswith("0x") for name in names)


def test_a_mint_takes_no_redeems_name(deployed: Deployed) -> None:
    deployed.mint()
    name = deployed.redeem().request_id
    data = deployed.mint_call(replace(deployed.mint_terms(), request_id=name))
    assert deployed.refusal(RELAYER, data) == ("RequestNamesRedeem", name)


def test_a_redeem_takes_no_name_that_was_minted_under(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 2 * TOKEN)
    foretold = deployed.foretell(HOLDER, TOKEN)
    mint = replace(deployed.mint_terms(), request_id=foretold)
    deployed.send(RELAYER, deployed.mint_call(mint))
    terms = deployed.redeem()
    assert terms.request_id != foretold
    deployed.send(RELAYER, deployed.redeem_call(terms))
    assert deployed.ask("totalSupply") == 2 * TOKEN


def test_nothing_comes_into_the_contract_that_is_not_locked(deployed: Deployed) -> None:
    deployed.mint()
    deployed.send(HOLDER, deployed.call("approve", OTHER, TOKEN))
    here = deployed.address
    refused = ("NotARedeem", HOLDER, 1)
    assert deployed.refusal(HOLDER, deployed.call("transfer", here, 1)) == refused
    assert deployed.refusal(OTHER, deployed.call("transferFrom", HOLDER, here, 1)) == refused
    data = deployed.mint_call(deployed.mint_terms(here))
    assert deployed.refusal(RELAYER, data)[0] == "NotARedeem"


def test_more_than_a_holder_has_cannot_be_given_up(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 2 * TOKEN)
    deployed.redeem()
    for amount in (TOKEN + 1, MAX):
        refused = deployed.refusal(HOLDER, deployed.call("requestRedeem", amount))
        assert refused == ("ERC20InsufficientBalance", HOLDER, TOKEN, amount)
    assert deployed.ask("lockedAmount") == TOKEN


def test_a_pause_stops_everything_that_moves_tokens(deployed: Deployed) -> None:
    deployed.mint(HOLDER, 2 * TOKEN)
    redeem = deployed.redeem()
    assert deployed.send(ADMIN, deployed.call("pause")) == [("Paused", ADMIN)]
    moves = (
        (RELAYER, deployed.mint_call(deployed.mint_terms())),
        (RELAYER, deployed.redeem_call(redeem)),
        (HOLDER, deployed.call("requestRedeem", 1)),
        (HOLDER, deployed.call("transfer", OTHER, 1)),
        (APPROVER.address, deployed.call("cancelRedeem", redeem.request_id)),
    )
    for sender, data in moves:
        assert deployed.refusal(sender, data) == ("EnforcedPause",)
    assert deployed.send(ADMIN, deployed.call("unpause")) == [("Unpaused", ADMIN)]
    deployed.send(*moves[1])


def test_every_deed_needs_its_role(deployed: Deployed) -> None:
    deployed.mint()
    redeem = deployed.redeem()
    deeds = {
        "RELAYER_ROLE": (
            deployed.mint_call(deployed.mint_terms()),
            deployed.redeem_call(redeem),
        ),
        "APPROVER_ROLE": (deployed.call("cancelRedeem", redeem.request_id),),
        "PAUSER_ROLE": (deployed.call("pause"), deployed.call("unpause")),
        "FREEZER_ROLE": (deployed.call("setFrozen", OTHER, True),),
        "DEFAULT_ADMIN_ROLE": (
            deployed.call("setCaps", 1, 1),
            deployed.call("setMinRedeem", 1),
            deployed.call("grantRole", role("APPROVER_ROLE"), HOLDER),
            deployed.call("revokeRole", role("RELAYER_ROLE"), RELAYER),
        ),
    }
    for name, calls in deeds.items():
        for data in calls:
            refused = deployed.refusal(HOLDER, data)
            assert refused == ("AccessControlUnauthorizedAccount", HOLDER, deployed.ask(name))


def test_no_role_gives_another(deployed: Deployed) -> None:
    for holder in (RELAYER, APPROVER.address):
        for name in ("APPROVER_ROLE", "RELAYER_ROLE", "PAUSER_ROLE", "FREEZER_ROLE"):
            refused = deployed.refusal(holder, deployed.call("grantRole", role(name), holder))
            assert refused == ("AccessControlUnauthorizedAccount", holder, bytes(32))
    assert deployed.refusal(ADMIN, deployed.mint_call(deployed.mint_terms()))[0] == (
        "AccessControlUnauthorizedAccount"
    )


@pytest.mark.parametrize("name", ["", "ä" * 64, "x" * 4_096, "\0"], ids=["none", "ä", "long", "0"])
def test_a_name_may_be_any_text(deployed: Deployed, name: str) -> None:
    terms = replace(deployed.mint_terms(), request_id=name)
    told = deployed.send(RELAYER, deployed.mint_call(terms))
    assert told == [("Minted", name, HOLDER, TOKEN)]
    assert deployed.refusal(RELAYER, deployed.mint_call(replace(terms, nonce=MAX))) == (
        "RequestAlreadyProcessed",
        name,
    )


def _digest(deployed: Deployed, terms: MintTerms) -> bytes:
    return A.mint_digest(deployed.domain, terms)


def _call(terms: MintTerms, signature: bytes) -> bytes:
    return A.mint_call(terms, signature)
