"""The key service as an approver: its signatures, its troubles, and what is told of both."""

import logging
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence

import httpx
import pytest
from botocore.config import Config
from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

import chains.kms
from chains.errors import Definitive, Transient
from chains.kms import CURVE_ORDER, KmsSigner, address_of, recoverable
from sandbox import evm
from sandbox.kms import KEY_ID, REGION, kms_environment, start_kms
from sandbox.processes import Part
from tests.waiting import until

CHAIN = 5920
ECRECOVER = "0x" + "00" * 19 + "01"
MANY = 1_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start_kms(tmp_path_factory.mktemp("kms"))
    yield part
    part.stop()


@pytest.fixture
def kms(service: Part, monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    """The service, in order, and this process set up for it."""
    for name, value in kms_environment(service.url).items():
        monkeypatch.setenv(name, value)
    yield service
    turn(service, throttle=0.0, down=False, delay_ms=0, high_s=False, refuses="", throttle_next=0)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a chain answers JSON-RPC."""
    part = evm.start_evm(tmp_path_factory.mktemp("evm"), chains=[CHAIN])
    yield evm.provider_url(part.url, CHAIN)
    part.stop()


def turn(part: Part, **knobs: object) -> None:
    httpx.post(f"{part.url}/sandbox/knobs", json=knobs, trust_env=False).raise_for_status()


def signer(**options: object) -> KmsSigner:
    return KmsSigner(KEY_ID, REGION, **options)  # type: ignore[arg-type]


def signed(answers: Sequence[bytes | Exception]) -> list[bytes]:
    assert [a for a in answers if not isinstance(a, bytes)] == []
    return [a for a in answers if isinstance(a, bytes)]


def recovered(signature: bytes, digest: bytes) -> str:
    plain = signature[:64] + bytes([signature[64] - 27])
    key = PublicKey.from_signature_and_message(plain, digest, hasher=None)
    return to_checksum_address(keccak(key.format(compressed=False)[1:])[12:])


def on_chain(url: str, digests: list[bytes], signatures: list[bytes]) -> list[str]:
    """Whom a chain's own `ecrecover` takes for the signers."""
    words = [d + s[64:].rjust(32, b"\0") + s[:64] for d, s in zip(digests, signatures, strict=True)]
    calls = [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "eth_call",
            "params": [{"to": ECRECOVER, "data": "0x" + asked.hex()}, "latest"],
        }
        for number, asked in enumerate(words)
    ]
    answers = httpx.post(url, json=calls, timeout=60, trust_env=False).raise_for_status().json()
    by_id = {answer["id"]: answer["result"] for answer in answers}
    return [to_checksum_address("0x" + by_id[n][-40:]) for n in range(len(calls))]


def test_a_thousand_digests_are_signed_as_chains_want_it(kms: Part, chain: str) -> None:
    approver = signer()
    digests = [secrets.token_bytes(32) for _ in range(MANY)]
    signatures = signed(approver.sign(digests))
    assert {len(s) for s in signatures} == {65}
    assert {s[64] for s in signatures} == {27, 28}
    assert all(int.from_bytes(s[32:64]) <= CURVE_ORDER // 2 for s in signatures)
    assert {recovered(s, d) for s, d in zip(signatures, digests, strict=True)} == {
        approver.address()
    }
    assert set(on_chain(chain, digests, signatures)) == {approver.address()}


def test_a_high_s_becomes_a_low_one(kms: Part) -> None:
    turn(kms, high_s=True)
    approver = signer()
    digests = [secrets.token_bytes(32) for _ in range(20)]
    for signature, digest in zip(signed(approver.sign(digests)), digests, strict=True):
        assert int.from_bytes(signature[32:64]) <= CURVE_ORDER // 2
        assert recovered(signature, digest) == approver.address()


def test_a_key_of_another_address_signs_nothing(kms: Part) -> None:
    other = evm.OUTSIDER.address
    approver = signer(expected_address=other)
    with pytest.raises(Definitive, match=f"not {other}"):
        approver.check()
    (answer,) = approver.sign([bytes(32)])
    assert isinstance(answer, Definitive)


def test_the_address_may_be_written_in_any_case(kms: Part) -> None:
    address = signer().address()
    assert signer(expected_address=address.lower()).address() == address


def test_what_is_throttled_is_asked_for_again(kms: Part) -> None:
    approver = signer()
    approver.check()
    turn(kms, throttle_next=2)
    digest = secrets.token_bytes(32)
    (signature,) = signed(approver.sign([digest]))
    assert recovered(signature, digest) == approver.address()


def test_a_service_that_refuses_too_much_is_no_reason_to_give_up(kms: Part) -> None:
    seen: list[str] = []
    approver = signer(observe=lambda outcome, seconds: seen.append(outcome))
    approver.check()
    turn(kms, throttle=1.0)
    (answer,) = approver.sign([bytes(32)])
    assert isinstance(answer, Transient)
    assert str(answer) == "KMS answered ThrottlingException"
    assert seen == ["transient"]


@pytest.mark.parametrize(
    "code",
    ["DisabledException", "AccessDeniedException", "NotFoundException", "KMSInvalidStateException"],
)
def test_a_key_that_may_not_be_used_is_told_of_at_once(kms: Part, code: str) -> None:
    seen: list[str] = []
    approver = signer(observe=lambda outcome, seconds: seen.append(outcome))
    approver.check()
    turn(kms, refuses=code)
    (answer,) = approver.sign([bytes(32)])
    assert isinstance(answer, Definitive)
    assert str(answer) == f"KMS answered {code}"
    assert seen == ["definitive"]
    with pytest.raises(Definitive, match=code):
        approver.check()


def test_a_key_that_is_not_there_is_told_of(kms: Part) -> None:
    with pytest.raises(Definitive, match="NotFoundException"):
        KmsSigner("11111111-2222-3333-4444-555555555555", REGION).check()


def test_a_service_that_is_down_may_be_up_again(kms: Part) -> None:
    approver = signer()
    approver.check()
    turn(kms, down=True)
    (answer,) = approver.sign([bytes(32)])
    assert isinstance(answer, Transient)
    assert str(answer).startswith("KMS could not be reached")
    turn(kms, down=False)
    signed(approver.sign([bytes(32)]))


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_allowed(
    kms: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = chains.kms._CONFIG.merge(Config(read_timeout=0.05))
    monkeypatch.setattr(chains.kms, "_CONFIG", impatient)
    approver = signer()
    turn(kms, delay_ms=1_000)
    (answer,) = approver.sign([bytes(32)])
    assert isinstance(answer, Transient)
    assert str(answer) == "KMS could not be reached (ReadTimeoutError)"


def test_what_is_held_back_is_waited_for_no_longer_than_the_caller_can(kms: Part) -> None:
    approver = signer(patience_seconds=0.2)
    approver.check()
    turn(kms, delay_ms=2_000)
    answers = approver.sign([bytes(32)] * 40)
    assert {str(answer) for answer in answers} == {"KMS did not answer within 0.2 s"}
    assert all(isinstance(answer, Transient) for answer in answers)


async def test_a_signature_that_came_too_late_is_there_the_next_time(kms: Part) -> None:
    seen: Counter[str] = Counter()
    approver = signer(patience_seconds=0.3, observe=lambda outcome, _: seen.update([outcome]))
    approver.check()
    turn(kms, delay_ms=1_000)
    digest = secrets.token_bytes(32)
    (late,) = approver.sign([digest])
    assert isinstance(late, Transient)
    await until(lambda: seen["signed"], "the service has answered")
    (signature,) = signed(approver.sign([digest]))
    assert recovered(signature, digest) == approver.address()
    assert seen == {"signed": 1}


def test_every_signature_is_observed(kms: Part) -> None:
    seen: Counter[str] = Counter()
    seconds: list[float] = []

    def observe(outcome: str, took: float) -> None:
        seen[outcome] += 1
        seconds.append(took)

    signed(signer(observe=observe).sign([secrets.token_bytes(32) for _ in range(5)]))
    assert seen == {"signed": 5}
    assert all(took > 0 for took in seconds)


def test_no_secret_and_no_signature_is_logged(
    kms: Part, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "a-secret-that-nobody-may-read"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with caplog.at_level(logging.INFO):
        approver = signer()
        (signature,) = signed(approver.sign([bytes(32)]))
        turn(kms, refuses="AccessDeniedException")
        (refused,) = approver.sign([bytes(32)])
    told = caplog.text + str(refused) + repr(approver)
    assert secret not in told
    assert signature.hex() not in told


def test_what_is_no_signature_of_the_key_is_refused(kms: Part) -> None:
    address = signer().address()
    for der, reason in (
        (b"", "no DER"),
        (b"\x30\x02\x02\x00", "no DER"),
        (encode_dss_signature(1, 1) + b"\0", "no DER"),
        (encode_dss_signature(0, 1), "out of range"),
        (encode_dss_signature(1, CURVE_ORDER), "out of range"),
        (encode_dss_signature(1, 1), "not of the key"),
    ):
        with pytest.raises(Definitive, match=reason):
            recoverable(der, bytes(32), address)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(Definitive, match="ECC_SECG_P256K1"):
        address_of(bytes(88))
