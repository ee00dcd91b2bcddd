"""Transactions through the Solana node: sent, landed, looked up."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.models import TxOpts
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_status import UiTransaction

from sandbox.tests.solana_support import (
    HOLDING,
    MINTS,
    SOL,
    TABLE,
    TABLE_ENTRIES,
    WALLETS,
    Node,
    Wallet,
    memo,
    move,
    pay,
    running,
    send_call,
    signed,
    wait_for,
)

FEE = 5_000
ALICE, BOB, CAROL, DAVE, ERIN, FRANK, GRACE, HEIDI, IVAN, JUDY = WALLETS[:10]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("transactions")) as node:
        yield node


@pytest.mark.asyncio
async def test_the_ordinary_client_sends_confirms_and_reads_a_transfer(node: Node) -> None:
    to = Pubkey.new_unique()
    async with node.client() as client:
        latest = (await client.get_latest_blockhash(Confirmed)).value
        transaction = signed(latest.blockhash, [ALICE], pay(ALICE, to, SOL))
        sent = await client.send_raw_transaction(
            bytes(transaction), TxOpts(preflight_commitment=Confirmed)
        )
        assert sent.value == transaction.signatures[0]
        await client.confirm_transaction(
            sent.value, Finalized, 0.01, latest.last_valid_block_height
        )
        found = (await client.get_transaction(sent.value, "json", Finalized, 0)).value
        assert found is not None
        meta = found.transaction.meta
        assert meta is not None
        assert meta.err is None
        assert meta.fee == FEE
        assert meta.pre_balances[:2] == [10 * SOL, 0]
        assert meta.post_balances[:2] == [9 * SOL - FEE, SOL]
        assert meta.log_messages is not None
        assert meta.log_messages[-1] == "Program 11111111111111111111111111111111 success"
        assert (await client.get_balance(to, Confirmed)).value == SOL
        assert found.block_time == (await client.get_block_time(found.slot)).value


@pytest.mark.parametrize("legacy", [True, False])
def test_token_balances_tell_what_each_account_gained(node: Node, legacy: bool) -> None:
    maker, taker = WALLETS[10:12] if legacy else WALLETS[12:14]
    swap = signed(
        node.blockhash(),
        [taker, maker],
        move(taker, maker, MINTS[0], 2_500_000),
        move(maker, taker, MINTS[1], 7),
        memo("fairlane:swap"),
        legacy=legacy,
    )
    node.land(swap)
    found = node.transaction(swap)
    assert found["version"] == ("legacy" if legacy else 0)
    keys = found["transaction"]["message"]["accountKeys"]
    before, after = (
        {
            (row["owner"], row["mint"]): int(row["uiTokenAmount"]["amount"])
            for row in found["meta"][name]
            if keys[row["accountIndex"]] == str(wallet_account(row["owner"], row["mint"]))
        }
        for name in ("preTokenBalances", "postTokenBalances")
    )
    gained = {key: after[key] - before[key] for key in before}
    assert gained == {
        (str(taker.address), str(MINTS[0])): -2_500_000,
        (str(maker.address), str(MINTS[0])): 2_500_000,
        (str(maker.address), str(MINTS[1])): -7,
        (str(taker.address), str(MINTS[1])): 7,
    }
    amount = next(
        row["uiTokenAmount"]
        for row in found["meta"]["postTokenBalances"]
        if (row["owner"], row["mint"]) == (str(taker.address), str(MINTS[0]))
    )
    assert amount == {
        "amount": str(HOLDING - 2_500_000),
        "decimals": 6,
        "uiAmount": 997.5,
        "uiAmountString": "997.5",
    }
    assert found["meta"]["computeUnitsConsumed"] > 0
    assert found["meta"]["fee"] == 2 * FEE


def wallet_account(owner: str, mint: str) -> Pubkey:
    wallet = next(each for each in WALLETS if str(each.address) == owner)
    return wallet.account(Pubkey.from_string(mint))


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", ["json", "jsonParsed", "base64", "base58"])
async def test_solders_reads_a_transaction_in_each_encoding(node: Node, encoding: str) -> None:
    sent = signed(node.blockhash(), [BOB], pay(BOB, CAROL.address, 1), memo())
    node.land(sent)
    async with node.client() as client:
        answer = await client.get_transaction(sent.signatures[0], encoding, Confirmed, 0)
    assert answer.value is not None
    inner = answer.value.transaction.transaction
    if isinstance(inner, UiTransaction):
        assert encoding.startswith("json")
        assert inner.signatures == [sent.signatures[0]]
        assert str(inner.message.recent_blockhash) == str(sent.message.recent_blockhash)
    else:
        assert not encoding.startswith("json")
        assert inner == sent


def test_a_versioned_transaction_is_not_shown_to_a_client_that_cannot_read_it(node: Node) -> None:
    sent = signed(node.blockhash(), [BOB], memo())
    node.land(sent)
    answer = node.call("getTransaction", str(sent.signatures[0]), {"commitment": "confirmed"})
    assert answer["error"]["code"] == -32015


def test_a_transaction_goes_from_processed_to_confirmed_to_finalized(node: Node) -> None:
    sent = signed(node.blockhash(), [CAROL], memo())
    signature = str(sent.signatures[0])
    options = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    first, status, unseen = node.batch(
        send_call(sent),
        ("getSignatureStatuses", [signature]),
        ("getTransaction", signature, options),
    )
    assert first["result"] == signature
    value = status["result"]["value"][0]
    assert (value["confirmationStatus"], value["confirmations"], value["err"]) == (
        "processed",
        0,
        None,
    )
    assert unseen["result"] is None
    found = wait_for(lambda: node.result("getTransaction", signature, options))
    assert found["slot"] == value["slot"]
    final = {"commitment": "finalized", "maxSupportedTransactionVersion": 0}
    wait_for(lambda: node.result("getTransaction", signature, final))
    status = node.status(sent)
    assert (status["confirmationStatus"], status["confirmations"]) == ("finalized", None)
    assert node.slot("finalized") >= value["slot"]


def test_finalized_comes_the_configured_number_of_slots_after_confirmed(node: Node) -> None:
    heights = [
        answer["result"]
        for answer in node.batch(
            *(
                ("getBlockHeight", {"commitment": level})
                for level in ("processed", "confirmed", "finalized")
            )
        )
    ]
    assert heights == [heights[0], heights[0] - 1, heights[0] - 1 - 4]


def test_reading_a_transaction_at_processed_is_refused(node: Node) -> None:
    answer = node.call("getTransaction", str(Signature.default()), {"commitment": "processed"})
    assert answer["error"] == {
        "code": -32602,
        "message": "Method does not support commitment below `confirmed`",
    }


def test_an_unknown_transaction_is_null(node: Node) -> None:
    unknown = str(Signature.new_unique())
    assert node.result("getTransaction", unknown) is None
    assert node.result("getSignatureStatuses", [unknown])["value"] == [None]


def test_the_same_transaction_executes_once(node: Node) -> None:
    to = Pubkey.new_unique()
    sent = signed(node.blockhash(), [DAVE], pay(DAVE, to, SOL))
    answers = node.batch(send_call(sent), send_call(sent), send_call(sent, skipPreflight=False))
    assert answers[0]["result"] == answers[1]["result"] == str(sent.signatures[0])
    error = answers[2]["error"]
    assert (error["code"], error["data"]["err"]) == (-32002, "AlreadyProcessed")
    balance = node.result("getBalance", str(to), {"commitment": "processed"})
    assert balance["value"] == SOL


def test_preflight_refuses_a_failing_transaction_with_its_logs(node: Node) -> None:
    failing = signed(node.blockhash(), [ERIN], pay(ERIN, BOB.address, 100 * SOL))
    answer, status, balance = node.batch(
        send_call(failing, skipPreflight=False),
        ("getSignatureStatuses", [str(failing.signatures[0])]),
        ("getBalance", str(ERIN.address), {"commitment": "processed"}),
    )
    error = answer["error"]
    assert error["code"] == -32002
    assert error["message"] == (
        "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"
    )
    assert error["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert error["data"]["logs"][0] == "Program 11111111111111111111111111111111 invoke [1]"
    assert status["result"]["value"] == [None]
    assert balance["result"]["value"] == 10 * SOL


def test_without_preflight_a_failing_transaction_lands_and_pays(node: Node) -> None:
    failing = signed(node.blockhash(), [FRANK], pay(FRANK, BOB.address, 100 * SOL))
    node.land(failing)
    error = {"InstructionError": [0, {"Custom": 1}]}
    status = node.status(failing)
    assert (status["err"], status["status"]) == (error, {"Err": error})
    meta = node.transaction(failing)["meta"]
    assert meta["err"] == error
    assert meta["postBalances"][0] == 10 * SOL - FEE
    assert meta["preBalances"][1] == meta["postBalances"][1]


def test_a_payer_without_funds_leaves_no_trace(node: Node) -> None:
    poor = Wallet(1_000)
    sent = signed(node.blockhash(), [poor], memo())
    answer, status, refused = node.batch(
        send_call(sent),
        ("getSignatureStatuses", [str(sent.signatures[0])]),
        send_call(sent, skipPreflight=False),
    )
    assert answer["result"] == str(sent.signatures[0])
    assert status["result"]["value"] == [None]
    assert refused["error"]["data"]["err"] == "AccountNotFound"


def test_a_wrong_signature_is_refused_and_never_lands(node: Node) -> None:
    right = signed(node.blockhash(), [GRACE], memo())
    wrong = VersionedTransaction.populate(right.message, [Signature.new_unique()])
    refused, silent, status = node.batch(
        send_call(wrong, skipPreflight=False),
        send_call(wrong),
        ("getSignatureStatuses", [str(wrong.signatures[0])]),
    )
    assert refused["error"]["code"] == -32003
    assert silent["result"] == str(wrong.signatures[0])
    assert status["result"]["value"] == [None]


def test_an_unknown_blockhash_is_refused_and_never_lands(node: Node) -> None:
    sent = signed(signed(node.blockhash(), [GRACE], memo()).message.hash(), [GRACE], memo())
    refused, silent, status = node.batch(
        send_call(sent, skipPreflight=False),
        send_call(sent),
        ("getSignatureStatuses", [str(sent.signatures[0])]),
    )
    assert refused["error"]["message"] == "Transaction simulation failed: Blockhash not found"
    assert refused["error"]["data"]["err"] == "BlockhashNotFound"
    assert silent["result"] == str(sent.signatures[0])
    assert status["result"]["value"] == [None]


def test_a_simulation_needs_no_signature_and_changes_nothing(node: Node) -> None:
    payment = signed(node.blockhash(), [HEIDI], pay(HEIDI, BOB.address, SOL))
    unsigned = VersionedTransaction.populate(payment.message, [Signature.default()])
    text = base64.b64encode(bytes(unsigned)).decode()
    options = {"encoding": "base64", "accounts": {"addresses": [str(HEIDI.address)]}}
    simulated, verified, balance = node.batch(
        ("simulateTransaction", text, options),
        ("simulateTransaction", text, {"encoding": "base64", "sigVerify": True}),
        ("getBalance", str(HEIDI.address), {"commitment": "processed"}),
    )
    value = simulated["result"]["value"]
    assert value["err"] is None
    assert value["unitsConsumed"] == 150
    assert value["accounts"][0]["lamports"] == 9 * SOL - FEE
    assert verified["error"]["code"] == -32003
    assert balance["result"]["value"] == 10 * SOL


def test_a_simulation_may_replace_the_blockhash(node: Node) -> None:
    old = signed(signed(node.blockhash(), [HEIDI], memo()).message.hash(), [HEIDI], memo())
    text = base64.b64encode(bytes(old)).decode()
    kept, replaced = node.batch(
        ("simulateTransaction", text, {"encoding": "base64"}),
        ("simulateTransaction", text, {"encoding": "base64", "replaceRecentBlockhash": True}),
    )
    assert kept["result"]["value"]["err"] == "BlockhashNotFound"
    value = replaced["result"]["value"]
    assert value["err"] is None
    blockhash = value["replacementBlockhash"]["blockhash"]
    assert node.result("isBlockhashValid", blockhash, {"commitment": "processed"})["value"]


def test_addresses_from_a_lookup_table_are_loaded(node: Node) -> None:
    owner = WALLETS[-1]
    table = AddressLookupTableAccount(TABLE, list(TABLE_ENTRIES))
    instruction = move(owner, ALICE, MINTS[0], 5)
    message = MessageV0.try_compile(owner.address, [instruction], [table], node.blockhash())
    sent = VersionedTransaction(message, [owner.keypair])
    node.land(sent)
    found = node.transaction(sent)
    assert found["meta"]["loadedAddresses"] == {
        "writable": [str(TABLE_ENTRIES[0])],
        "readonly": [str(TABLE_ENTRIES[2])],
    }
    assert str(TABLE_ENTRIES[0]) not in found["transaction"]["message"]["accountKeys"]
    parsed = node.transaction(sent, "jsonParsed")["transaction"]["message"]
    assert [
        (key["pubkey"], key["writable"])
        for key in parsed["accountKeys"]
        if key["source"] == "lookupTable"
    ] == [(str(TABLE_ENTRIES[0]), True), (str(TABLE_ENTRIES[2]), False)]
    signatures = node.result(
        "getSignaturesForAddress", str(TABLE_ENTRIES[0]), {"commitment": "confirmed"}
    )
    assert [each["signature"] for each in signatures] == [str(sent.signatures[0])]


def test_signatures_of_an_address_come_newest_first_in_pages(node: Node) -> None:
    blockhash = node.blockhash()
    sent = [signed(blockhash, [IVAN], memo(f"page {i}")) for i in range(5)]
    node.batch(*map(send_call, sent))
    node.land(signed(blockhash, [IVAN], memo("page 5")))
    address, names = str(IVAN.address), [str(each.signatures[0]) for each in sent]

    def page(**options: object) -> list[dict[str, object]]:
        found = node.result(
            "getSignaturesForAddress", address, {"commitment": "confirmed", **options}
        )
        assert isinstance(found, list)
        return found

    assert [row["memo"] for row in page()] == [f"[6] page {i}" for i in (5, 4, 3, 2, 1, 0)]
    assert [row["signature"] for row in page(before=names[4], limit=2)] == [names[3], names[2]]
    assert [row["signature"] for row in page(before=names[3], until=names[0])] == [
        names[2],
        names[1],
    ]
    assert (
        node.call("getSignaturesForAddress", address, {"limit": 1_001})["error"]["code"] == -32602
    )


@pytest.mark.asyncio
async def test_an_airdrop_is_a_transaction_of_its_own(node: Node) -> None:
    to = Pubkey.new_unique()
    async with node.client() as client:
        one = (await client.request_airdrop(to, SOL)).value
        two = (await client.request_airdrop(to, SOL)).value
        assert one != two
        await client.confirm_transaction(two, Confirmed, 0.01)
        assert (await client.get_balance(to, Confirmed)).value == 2 * SOL


def test_an_airdrop_beyond_the_faucet_fails_loudly(node: Node) -> None:
    answer = node.call("requestAirdrop", str(Pubkey.new_unique()), 10**18)
    assert answer["error"]["code"] == -32602
    assert "airdrop request failed" in answer["error"]["message"]


def test_the_fee_of_a_message_includes_its_priority(node: Node) -> None:
    budget = [set_compute_unit_limit(100_000), set_compute_unit_price(20_000)]
    sent = signed(node.blockhash(), [JUDY], *budget, memo())
    wire = base64.b64encode(bytes(sent)[65:]).decode()
    options = {"commitment": "processed"}
    assert node.result("getFeeForMessage", wire, options)["value"] == FEE + 2_000
    node.land(sent)
    assert node.transaction(sent)["meta"]["fee"] == FEE + 2_000
    fees = node.result("getRecentPrioritizationFees", [str(JUDY.address)])
    assert {"slot": node.transaction(sent)["slot"], "prioritizationFee": 20_000} in fees


def test_an_expired_blockhash_is_refused_and_old_statuses_are_history(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("expiry"), slot_ms=4) as node:
        value = node.result("getLatestBlockhash", {"commitment": "confirmed"})["value"]
        blockhash = node.blockhash()
        landed = signed(blockhash, [ALICE], memo())
        node.land(landed)
        last = value["lastValidBlockHeight"]
        assert node.result("isBlockhashValid", value["blockhash"])["value"]
        wait_for(lambda: node.result("getBlockHeight", {"commitment": "finalized"}) > last + 5)
        assert not node.result("isBlockhashValid", value["blockhash"])["value"]
        late = signed(blockhash, [ALICE], memo())
        refused, _, status = node.batch(
            send_call(late, skipPreflight=False),
            send_call(late),
            ("getSignatureStatuses", [str(late.signatures[0])]),
        )
        assert refused["error"]["data"]["err"] == "BlockhashNotFound"
        assert status["result"]["value"] == [None]
        wait_for(lambda: node.status(landed) is None)
        assert node.status(landed, searchTransactionHistory=True)["err"] is None
