import json
import logging
import re
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.signature import Signature

from chains.errors import Definitive
from chains.solana.keystore import KeyStore


def write_key(path: Path, keypair: Keypair, mode: int = 0o600) -> str:
    path.write_text(json.dumps(list(bytes(keypair))))
    path.chmod(mode)
    return str(keypair.pubkey())


def problems(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(str(vars(record).get("problem", "")) for record in caplog.records)


def test_a_wallet_signs_what_its_address_verifies(tmp_path: Path) -> None:
    keypair = Keypair()
    address = write_key(tmp_path / "any name.json", keypair)
    signature = KeyStore(tmp_path).sign(address, b"message")
    assert Signature.from_bytes(signature).verify(keypair.pubkey(), b"message")


def test_an_unknown_wallet_is_refused(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    stranger = str(Keypair().pubkey())
    assert not keys.has(stranger)
    with pytest.raises(Definitive, match=rf"no key is held for wallet {stranger}"):
        keys.sign(stranger, b"message")


def test_a_key_that_appears_later_is_found(tmp_path: Path) -> None:
    first = write_key(tmp_path / "1.json", Keypair())
    keys = KeyStore(tmp_path)
    second = write_key(tmp_path / "2.json", Keypair())
    assert keys.has(second)
    assert keys.labels().keys() == {first, second}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_open_to_others_is_refused(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    opened = write_key(tmp_path / "open.json", Keypair(), mode)
    held = write_key(tmp_path / "held.json", Keypair())
    keys = KeyStore(tmp_path)
    assert not keys.has(opened)
    assert keys.has(held), "one bad file must not stop the other wallets"
    assert re.search(rf"open.json is open to other users .mode {mode:o}.*chmod", problems(caplog))


def test_an_unsafe_key_that_appears_later_is_refused_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = write_key(tmp_path / "held.json", Keypair())
    keys = KeyStore(tmp_path)
    late = write_key(tmp_path / "late.json", Keypair(), mode=0o644)
    with caplog.at_level(logging.WARNING):
        assert not keys.has(late)
    assert "wallet_key_refused" in caplog.text
    assert keys.has(held)
    (tmp_path / "late.json").chmod(0o600)
    assert keys.has(late)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "null", "[1,2,3]", json.dumps([256] * 64), json.dumps(["1"] * 64), '"' + "1" * 64],
)
def test_a_file_without_a_keypair_is_refused_without_showing_it(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "odd.json").write_text(content)
    (tmp_path / "odd.json").chmod(0o600)
    assert not KeyStore(tmp_path).labels()
    assert re.search(r"odd.json holds no Solana keypair$", problems(caplog), re.MULTILINE)


def test_a_keypair_whose_halves_differ_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mixed = bytes(Keypair())[:32] + bytes(Keypair())[32:]
    (tmp_path / "mixed.json").write_text(json.dumps(list(mixed)))
    (tmp_path / "mixed.json").chmod(0o600)
    assert not KeyStore(tmp_path).labels()
    assert "holds no Solana keypair" in problems(caplog)


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(Definitive, match=r"absent cannot be read"):
        KeyStore(tmp_path / "absent")


def test_no_text_of_the_store_shows_a_secret(tmp_path: Path) -> None:
    keypair = Keypair()
    write_key(tmp_path / "1.json", keypair)
    keys = KeyStore(tmp_path)
    assert f"{keys!r} {keys}" == "<KeyStore: 1 wallets> <KeyStore: 1 wallets>"
