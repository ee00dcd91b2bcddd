"""Transactions of type 2, signed with a gas wallet's key."""

import re
from dataclasses import dataclass
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount

from chains.errors import Definitive
from chains.evm.fees import Fees

_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class RelayerKey:
    """A gas wallet's private key, which nothing prints or serialises."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    @classmethod
    def parse(cls, text: str) -> "RelayerKey":
        """
        Raises:
            Definitive: it is not 32 bytes in hex, or no key of the curve; the text is not told.
        """
        if not _KEY.fullmatch(text):
            raise Definitive("the relayer's key is not 32 bytes in hex")
        try:
            return cls(Account.from_key(text))
        except Exception:
            raise Definitive("the relayer's key is not on the curve") from None

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign(self, transaction: dict[str, bytes | int | str]) -> "SignedTransaction":
        signed = self._account.sign_transaction(cast(Any, transaction))
        return SignedTransaction(bytes(signed.raw_transaction), "0x" + signed.hash.hex())

    def __repr__(self) -> str:
        return f"<RelayerKey of {self.address}>"

    def __reduce__(self) -> str:
        raise TypeError("a key is not serialised")


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to send, and the hash they will be known by."""

    raw: bytes
    hash: str


def sign(
    key: RelayerKey,
    *,
    chain_id: int,
    nonce: int,
    to: str,
    data: bytes,
    gas: int,
    fees: Fees,
) -> SignedTransaction:
    """A call of a contract that carries no value."""
    return key.sign(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "to": to,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
        }
    )
