"""Typed data, calls and events of the three contract designs."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chains.evm.ports import Log
from stablecoin.profiles import MalformedLog, MintTerms, RedeemTerms, a, b, profile
from stablecoin.profiles.base import topic
from stablecoin.typed_data import Domain, Message

DOMAIN = Domain("Stablecoin", "1", 5920, "0x1234567890123456789012345678901234567890")
ACCOUNT = "0x742d35cc6634c0532925a3b8d8c9c9b6c6c8c8c8"
MINT = MintTerms("req-123", ACCOUNT, 10**18, 1, 1_893_456_000, 5920)
REDEEM = RedeemTerms("req-123", ACCOUNT, 10**18, 1, 1_893_456_000, "REF-1")
SIGNATURE = bytes(65)


def test_the_domain_is_separated_as_others_do() -> None:
    assert (
        DOMAIN.separator.hex() == "7287000e5bea88316417543091e93db4443fdfbc096343ceda39fa190181df4b"
    )


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("A", "1b6a96e7e6e6de973e1232a40a6cebbaecbdd35056c4fe0679ba9c0d3d3cf220"),
        ("B", "8e85cef1e020895e16d531fc58978bc1af51c520fa14503f877df1be6358589c"),
        ("C", "8e85cef1e020895e16d531fc58978bc1af51c520fa14503f877df1be6358589c"),
    ],
)
def test_a_mint_is_approved_by_the_digest_that_the_contract_expects(name: str, digest: str) -> None:
    assert profile(name).mint_digest(DOMAIN, MINT).hex() == digest


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("A", "712948b73366cbf1460a23980d33bb81b0f422394047fcddcddac34d31144985"),
        ("B", "f6a825f6fab7630169d15fe7d7c97e3de9af66f9db554edacd97e7cd56a38f96"),
    ],
)
def test_a_redeem_is_approved_by_the_digest_that_the_contract_expects(
    name: str, digest: str
) -> None:
    assert profile(name).redeem_digest(DOMAIN, REDEEM).hex() == digest


@pytest.mark.parametrize(
    ("message", "typehash"),
    [
        (a.MINT_APPROVAL, "90dc9f0d01d93c8a9dd8d706b9ecbc1f0db026918aab0b44f25241b63c9f6824"),
        (a.REDEEM_FINALIZE, "8fb302c969d7f3529a48af9b61a756edf5324a36f549f57598c2d7a5c030668e"),
        (b.MINT_APPROVAL, "6a64f5aa5979466fab9fab17a37a56bca95978340b458ae17bd431b30c57db07"),
        (b.REDEEM_FINALIZE, "28cc8bc5d046a0619f72fc00d04aa649ff04bab6a8f1c6d3f3a3b6a0c9dc85ad"),
    ],
)
def test_messages_have_the_contracts_typehashes(message: Message, typehash: str) -> None:
    assert message.typehash.hex() == typehash


def test_calls_have_the_contracts_selectors() -> None:
    assert profile("A").mint_call(MINT, SIGNATURE)[:4].hex() == "307b2948"
    assert profile("A").redeem_call(REDEEM, SIGNATURE)[:4].hex() == "b0807f53"
    assert profile("B").mint_call(MINT, SIGNATURE)[:4].hex() == "49a080df"
    assert profile("B").redeem_call(REDEEM, SIGNATURE)[:4].hex() == "faf28534"
    assert profile("C").mint_call(MINT, SIGNATURE)[:4].hex() == "49a080df"


def test_a_redeem_of_c_has_no_approval() -> None:
    with pytest.raises(ValueError, match="needs no approval"):
        profile("C").redeem_digest(DOMAIN, REDEEM)
    with pytest.raises(ValueError, match="needs no approval"):
        profile("C").redeem_call(REDEEM, SIGNATURE)


@given(
    name=st.text(min_size=1, max_size=60),
    amount=st.integers(0, 2**256 - 1),
    nonce=st.integers(0, 2**256 - 1),
    deadline=st.integers(0, 2**64 - 1),
)
def test_digests_are_those_of_another_implementation(
    name: str, amount: int, nonce: int, deadline: int
) -> None:
    terms = MintTerms(name, ACCOUNT, amount, nonce, deadline, 5920)
    members = ["requestId:string", "to:address", "amount:uint256", "nonce:uint256"]
    members.append("deadline:uint256")
    types = [{"name": m.split(":")[0], "type": m.split(":")[1]} for m in members]
    domain: dict[str, Any] = {
        "name": DOMAIN.name,
        "version": DOMAIN.version,
        "chainId": DOMAIN.chain_id,
        "verifyingContract": DOMAIN.contract,
    }
    values = dict(
        zip([t["name"] for t in types], [name, ACCOUNT, amount, nonce, deadline], strict=True)
    )
    signable = encode_typed_data(domain, {"MintApproval": types}, values)
    expected = keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert profile("A").mint_digest(DOMAIN, terms) == expected


def log(*topics: str, data: bytes = b"") -> Log:
    return Log(DOMAIN.contract, topics, data, 7, "0x" + "aa" * 32, "0x" + "bb" * 32, 3)


PADDED = "0x" + "00" * 12 + ACCOUNT[2:]


def test_events_are_read() -> None:
    minted = log(
        topic("Minted(string,address,uint256)"),
        PADDED,
        data=encode(["string", "uint256"], ["r", 5]),
    )
    event = profile("A").decode(minted)
    assert event is not None
    assert (event.kind, event.request_id, event.account.lower(), event.amount) == (
        "minted",
        "r",
        ACCOUNT,
        5,
    )


HASHED = "0x" + "cd" * 32


@pytest.mark.parametrize(
    ("design", "signature", "topics", "types", "values", "kind"),
    [
        ("A", "RedeemRequested(string,address,uint256)", [PADDED], "sn", ["r", 5], "requested"),
        ("A", "Redeemed(string,address,uint256)", [PADDED], "sn", ["r", 5], "finalized"),
        ("A", "RedeemCancelled(string,address,uint256)", [PADDED], "sn", ["r", 5], "cancelled"),
        ("B", "RedeemRequested(bytes32,address,uint256)", [HASHED, PADDED], "n", [5], "requested"),
        (
            "B",
            "RedeemFinalized(bytes32,address,uint256,string)",
            [HASHED, PADDED],
            "ns",
            [5, "REF-1"],
            "finalized",
        ),
    ],
)
def test_events_of_redeems_are_read(
    design: str, signature: str, topics: list[str], types: str, values: list[object], kind: str
) -> None:
    encoded = encode([{"s": "string", "n": "uint256"}[t] for t in types], values)
    event = profile(design).decode(log(topic(signature), *topics, data=encoded))
    assert event is not None
    name = "r" if design == "A" else HASHED
    assert (event.kind, event.request_id) == (f"redeem_{kind}", name)
    assert (event.account.lower(), event.amount) == (ACCOUNT, 5)


@pytest.mark.parametrize("design", ["B", "C"])
def test_a_mints_event_has_the_hash_of_its_name(design: str) -> None:
    values = encode(["uint256", "uint256", "bytes32"], [5, 1, bytes.fromhex(HASHED[2:])])
    first = topic("MintWithApproval(address,uint256,uint256,bytes32)")
    event = profile(design).decode(log(first, PADDED, data=values))
    assert event is not None
    assert (event.kind, event.request_id, event.amount) == ("minted", HASHED, 5)
    assert event.account.lower() == ACCOUNT


def test_a_redeem_without_a_name_is_known_by_its_place() -> None:
    event = profile("C").decode(
        log(topic("RedeemRequested(address,uint256)"), PADDED, data=encode(["uint256"], [5]))
    )
    assert event is not None
    assert event.request_id == "0x" + "bb" * 32 + "-3"


def test_other_events_mean_nothing() -> None:
    assert profile("A").decode(log(topic("Transfer(address,address,uint256)"))) is None


@given(data=st.binary(max_size=200))
def test_a_malformed_log_is_told_from_an_event(data: bytes) -> None:
    for name in "ABC":
        for first in profile(name).topics:
            try:
                profile(name).decode(log(first, PADDED, data=data))
            except MalformedLog:
                continue


def test_the_chains_name_of_a_request() -> None:
    hashed = "0x" + keccak(text="req-123").hex()
    assert profile("A").request_key("req-123") == "req-123"
    assert profile("B").request_key("req-123") == hashed
    assert profile("B").request_key(hashed) == hashed
