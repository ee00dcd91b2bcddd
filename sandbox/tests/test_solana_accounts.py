"""Accounts, tokens and programs as the Solana node shows them."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from solana.rpc.commitment import Confirmed
from solana.rpc.models import DataSliceOpts, MemcmpOpts, TokenAccountOpts
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN
from solders.token.state import TokenAccount

from sandbox.tests.solana_support import (
    HOLDING,
    MEMO,
    MINTS,
    SOL,
    WALLETS,
    Node,
    memo,
    move,
    pay,
    running,
    send_call,
    signed,
    wait_for,
)

ALICE, BOB, CAROL, DAVE = WALLETS[:4]
COPIED_MEMO = Pubkey(bytes([77] * 32))
WRAPPED_SOL = "So11111111111111111111111111111111111111112"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("accounts")
    programs = folder / "programs"
    programs.mkdir()
    program = LiteSVM().get_account(MEMO)
    assert program is not None
    (programs / f"{COPIED_MEMO}.so").write_bytes(program.data)
    with running(folder, "--programs", str(programs)) as node:
        yield node


@pytest.mark.asyncio
async def test_the_ordinary_client_reads_accounts(node: Node) -> None:
    addresses = [ALICE.address, Pubkey.new_unique(), ALICE.account(MINTS[0])]
    async with node.client() as client:
        one = (await client.get_account_info(ALICE.account(MINTS[0]), Confirmed)).value
        many = (await client.get_multiple_accounts(addresses, Confirmed)).value
        balance = (await client.get_token_account_balance(addresses[2], Confirmed)).value
        supply = (await client.get_token_supply(MINTS[0], Confirmed)).value
        rent = (await client.get_minimum_balance_for_rent_exemption(165)).value
    assert one is not None
    assert TokenAccount.from_bytes(one.data).amount == HOLDING
    assert one.owner == TOKEN
    assert [account and account.lamports for account in many] == [10 * SOL, None, SOL]
    assert (balance.amount, balance.decimals) == (str(HOLDING), 6)
    assert supply.amount == str(HOLDING * len(WALLETS))
    assert rent == 2_039_280


@pytest.mark.asyncio
async def test_program_accounts_are_filtered_and_sliced(node: Node) -> None:
    filters: list[int | MemcmpOpts] = [165, MemcmpOpts(offset=32, bytes=str(BOB.address))]
    part = DataSliceOpts(offset=0, length=32)
    async with node.client() as client:
        found = await client.get_program_accounts(
            TOKEN, Confirmed, encoding="base64", data_slice=part, filters=filters
        )
        assert found.value is not None
    assert {(row.pubkey, row.account.data) for row in found.value} == {
        (BOB.account(mint), bytes(mint)) for mint in MINTS
    }


def test_program_accounts_come_with_context_where_asked(node: Node) -> None:
    filters = [{"dataSize": 82}]
    options = {"filters": filters, "withContext": True, "commitment": "processed"}
    answer = node.result("getProgramAccounts", str(TOKEN), options | {"encoding": "base64"})
    assert answer["context"]["slot"] > 0
    assert {row["pubkey"] for row in answer["value"]} == {*map(str, MINTS), WRAPPED_SOL}


@pytest.mark.asyncio
async def test_token_accounts_of_an_owner_are_found_by_mint_and_by_program(node: Node) -> None:
    async with node.client() as client:
        by_mint = await client.get_token_accounts_by_owner(
            BOB.address, TokenAccountOpts(mint=MINTS[1]), Confirmed
        )
    assert [row.pubkey for row in by_mint.value] == [BOB.account(MINTS[1])]
    options = {"encoding": "jsonParsed", "commitment": "confirmed"}
    by_program = node.result(
        "getTokenAccountsByOwner", str(BOB.address), {"programId": str(TOKEN)}, options
    )
    assert {
        (info["mint"], info["tokenAmount"]["amount"])
        for row in by_program["value"]
        for info in (row["account"]["data"]["parsed"]["info"],)
    } == {(str(mint), str(HOLDING)) for mint in MINTS}


def test_a_read_sees_the_state_of_its_commitment(node: Node) -> None:
    to = Pubkey.new_unique()
    sent = signed(node.blockhash(), [CAROL], pay(CAROL, to, SOL))
    _, *reads = node.batch(
        send_call(sent),
        *(("getBalance", str(to), {"commitment": level}) for level in ("processed", "confirmed")),
        ("getAccountInfo", str(to), {"encoding": "base64"}),
    )
    processed, confirmed, finalized = (answer["result"] for answer in reads)
    assert (processed["value"], confirmed["value"], finalized["value"]) == (SOL, 0, None)
    assert processed["context"]["slot"] > confirmed["context"]["slot"]
    assert confirmed["context"]["slot"] > finalized["context"]["slot"]
    wait_for(lambda: node.result("getBalance", str(to))["value"] == SOL)


def test_program_accounts_are_those_of_the_commitment(node: Node) -> None:
    sent = signed(node.blockhash(), [DAVE], move(DAVE, ALICE, MINTS[0], 100))
    filters = [{"memcmp": {"offset": 32, "bytes": str(DAVE.address)}}]
    options = {"encoding": "base64", "filters": filters}
    _, *reads = node.batch(
        send_call(sent),
        *(
            ("getProgramAccounts", str(TOKEN), options | {"commitment": level})
            for level in ("processed", "finalized")
        ),
    )
    amounts = [
        sum(
            TokenAccount.from_bytes(base64.b64decode(row["account"]["data"][0])).amount
            for row in answer["result"]
        )
        for answer in reads
    ]
    assert amounts == [2 * HOLDING - 100, 2 * HOLDING]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("base64", [base64.b64encode(bytes(MINTS[0])).decode(), "base64"]),
        ("base58", [str(MINTS[0]), "base58"]),
    ],
)
def test_account_data_in_each_encoding(node: Node, encoding: str, data: list[str]) -> None:
    options = {"encoding": encoding, "dataSlice": {"offset": 0, "length": 32}}
    value = node.result("getAccountInfo", str(BOB.account(MINTS[0])), options)["value"]
    assert value["data"] == data
    assert value["space"] == 165


def test_base58_is_refused_for_long_data(node: Node) -> None:
    answer = node.call("getAccountInfo", str(BOB.account(MINTS[0])), {"encoding": "base58"})
    assert answer["error"]["code"] == -32600


def test_the_wrapped_sol_mint_exists(node: Node) -> None:
    value = node.result("getAccountInfo", WRAPPED_SOL, {"encoding": "jsonParsed"})["value"]
    assert value["data"]["parsed"]["info"]["decimals"] == 9


def test_programs_of_the_folder_are_deployed_by_id(node: Node) -> None:
    instruction = memo("through the copy")
    copied = type(instruction)(COPIED_MEMO, instruction.data, [])
    sent = signed(node.blockhash(), [ALICE], copied)
    node.land(sent)
    logs = node.transaction(sent)["meta"]["logMessages"]
    assert logs[-1] == f"Program {COPIED_MEMO} success"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("getMultipleAccounts", [[str(ALICE.address)] * 101], -32602),
        ("getAccountInfo", ["not an address"], -32602),
        ("getAccountInfo", [], -32602),
        ("getAccountInfo", [str(ALICE.address), {"encoding": "xml"}], -32602),
        ("getAccountInfo", [str(ALICE.address), {"commitment": "later"}], -32602),
        ("getAccountInfo", [str(ALICE.address), {"minContextSlot": 10**9}], -32016),
        ("getTokenAccountBalance", [str(ALICE.address)], -32602),
        ("getTokenSupply", [str(ALICE.address)], -32602),
        ("getTokenAccountsByOwner", [str(ALICE.address), {"mint": str(ALICE.address)}], -32602),
        ("getProgramAccounts", [str(TOKEN), {"filters": [{"colour": "red"}]}], -32602),
        ("getSignatureStatuses", [["1" * 64] * 257], -32602),
        ("getSignatureStatuses", [["not a signature"]], -32602),
        ("getSignatureStatuses", [[["1"]]], -32602),
        ("sendTransaction", ["AAAA", {"encoding": "base64"}], -32602),
        ("sendTransaction", ["A" * 4_000, {"encoding": "base64"}], -32602),
        ("sendTransaction", ["0OIl"], -32602),
        ("getNothing", [], -32601),
    ],
)
def test_wrong_calls_are_answered_with_the_code_of_their_error(
    node: Node, method: str, params: list[object], code: int
) -> None:
    assert node.call(method, *params)["error"]["code"] == code
