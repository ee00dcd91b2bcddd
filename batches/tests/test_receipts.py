"""What a receipt promises, and what a batch that breaks it is proven by."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair

from batches import verify as command
from batches.bundle import Bundle
from batches.receipts import NO_RECEIPT, Receipt, SignedReceipt
from batches.records import Malformed
from batches.tests.making import MARKET, order
from batches.tests.publishing import RECEIPTS, evidence, leaf, leaves, published
from batches.verification import Verdict, verify


def test_receipts_form_a_chain_that_misses_none() -> None:
    first = Receipt(MARKET, order().hash, 1, 7, 116, NO_RECEIPT)
    second = Receipt(MARKET, order(nonce=2).hash, 2, 7, 116, first.hash)
    third = Receipt(MARKET, order(nonce=3).hash, 3, 8, 120, second.hash)
    assert first.follows(None)
    assert second.follows(first)
    assert third.follows(second)
    assert not second.follows(None)
    assert not third.follows(first)
    forged = Receipt(MARKET, order(nonce=9).hash, 1, 7, 116, NO_RECEIPT)
    assert not second.follows(forged)
    elsewhere = Receipt(bytes(32), order(nonce=2).hash, 2, 7, 116, first.hash)
    assert not elsewhere.follows(first)


def receipt_of(bundle: Bundle, place: int = 0) -> Receipt:
    """What the owner of an order in the batch was promised."""
    of = bundle.leaves[place]
    header = bundle.header
    return Receipt(
        header.market,
        of.order.hash,
        of.receipt_seq,
        header.batch_no,
        header.cutoff_slot,
        NO_RECEIPT,
    )


def signed(receipt: Receipt, key: Keypair = RECEIPTS) -> SignedReceipt:
    return SignedReceipt(receipt, bytes(key.sign_message(bytes(receipt))))


def verdict(bundle: Bundle, *receipts: SignedReceipt) -> Verdict:
    return verify(bundle, replace(evidence(bundle), receipts=receipts))


def test_a_batch_with_the_order_keeps_the_promise() -> None:
    bundle = published()
    promised = [signed(receipt_of(bundle, place)) for place in range(3)]
    assert verdict(bundle, *promised) == Verdict("VERIFIED")


def test_an_order_that_is_not_in_is_named() -> None:
    bundle = published()
    absent = replace(receipt_of(bundle), order_hash=order(nonce=99).hash, seq=0)
    found = verdict(bundle, signed(absent))
    assert (found.status, found.holds(3)) == ("UNCERTAIN", None)
    assert f"why order {absent.order_hash.hex()} is not in" in found.reasons[0]
    # It may be in a later one.
    for later in (replace(absent, batch_no=8), replace(absent, seq=4)):
        assert verdict(bundle, signed(later)) == Verdict("VERIFIED")


def test_one_number_for_two_orders_is_proven() -> None:
    bundle = published()
    first = receipt_of(bundle)
    twice = replace(first, order_hash=order(nonce=99).hash)
    for wrong in (twice, replace(first, seq=first.seq + 100)):
        found = verdict(bundle, signed(wrong))
        assert (found.status, found.step) == ("VIOLATION", 3)
        assert f"has the receipt {wrong.seq}" in found.reasons[0]


def test_a_batch_before_the_promised_one_is_proven() -> None:
    bundle = published()
    found = verdict(bundle, signed(replace(receipt_of(bundle), batch_no=8)))
    assert (found.status, found.step) == ("VIOLATION", 3)
    assert "before batch 8" in found.reasons[0]


def test_what_the_market_has_not_signed_accuses_nobody() -> None:
    bundle = published()
    wrong = replace(receipt_of(bundle), seq=77)
    found = verdict(bundle, signed(wrong, Keypair()))
    assert (found.status, found.reasons) == (
        "UNCERTAIN",
        ("receipt 77 is not signed by the market's key",),
    )
    found = verdict(bundle, signed(replace(wrong, market=bytes(32))))
    assert (found.status, found.reasons) == ("UNCERTAIN", ("receipt 77 is of another market",))


def test_a_receipt_is_read_out_of_the_answer_to_an_order() -> None:
    of = signed(receipt_of(published()))
    told = {
        "record": bytes(of.receipt).hex(),
        "signature": str(RECEIPTS.sign_message(bytes(of.receipt))),
    }
    for document in (told, {"id": "1", "receipt": told}):
        assert SignedReceipt.read(json.dumps(document).encode()) == of


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"receipt": 1}', b'{"record": "00", "signature": "1"}']
)
def test_other_bytes_are_no_receipt(data: bytes) -> None:
    with pytest.raises(Malformed):
        SignedReceipt.read(data)


def test_the_command_looks_for_the_orders_of_receipts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = published([*leaves()[:2], leaf(2, nonce=9, limit=1, quantity=5, receipt_seq=3)])
    wrong = replace(receipt_of(bundle), seq=77)
    receipt = signed(wrong)
    (tmp_path / "bundle.json").write_bytes(bytes(bundle))
    told = {"record": bytes(wrong).hex(), "signature": str(RECEIPTS.sign_message(bytes(wrong)))}
    (tmp_path / "receipt.json").write_text(json.dumps(told))
    assert receipt.is_signed(bytes(RECEIPTS.pubkey()))
    files = str(tmp_path / "bundle.json"), "--receipt", str(tmp_path / "receipt.json")
    assert command.main(files) == 1
    assert "VIOLATION at step 3" in capsys.readouterr().out
