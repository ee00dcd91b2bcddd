"""What the tests of the EVM chains share: signed transactions and a contract that logs."""

from typing import Any

import eth_account

from sandbox.evm import HOLDERS, OUTSIDER, Account, rpc

CHAIN, OTHER = 5920, 5921
GWEI = 10**9
# On every call: LOG0 of nothing.
LOGGER_CODE = "0x6560006000a0006000526006601af3"
REVERTS = {"data": "0x60006000fd"}


def nonce(url: str, account: Account = HOLDERS[0], chain: int = CHAIN) -> int:
    return int(rpc(url, chain, "eth_getTransactionCount", account.address, "latest"), 16)


def signed(nonce: int, *, account: Account = HOLDERS[0], chain: int = CHAIN, **other: Any) -> str:
    """A transfer of one wei, or what `other` makes of it."""
    fields = {
        "type": 2,
        "chainId": chain,
        "nonce": nonce,
        "to": OUTSIDER.address,
        "value": 1,
        "gas": 100_000,
        "maxFeePerGas": 5 * GWEI,
        "maxPriorityFeePerGas": GWEI,
    }
    key = eth_account.Account.from_key(account.key)
    return "0x" + bytes(key.sign_transaction(fields | other).raw_transaction).hex()


def receipt(url: str, name: str, *, chain: int = CHAIN, node: str = "a") -> Any:
    return rpc(url, chain, "eth_getTransactionReceipt", name, node=node)


def height(url: str, *, chain: int = CHAIN, node: str = "a") -> int:
    return int(rpc(url, chain, "eth_blockNumber", node=node), 16)


def block_hash(url: str, number: int) -> str:
    return str(rpc(url, CHAIN, "eth_getBlockByNumber", hex(number), False)["hash"])
