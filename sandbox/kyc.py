"""Have the registries of the chains say who was identified: the demo's holders."""

import time
from collections.abc import Sequence

from sandbox.errors import SandboxError
from sandbox.evm import DEPLOYER, Account, rpc

# setVerified(address[],bool) and batchIsKYCVerified(address[])
SET_VERIFIED = "0x345dab69"
BATCH_IS_VERIFIED = "0xe03e51b1"
PATIENCE_SECONDS = 20
POLL_SECONDS = 0.05


def identify(url: str, chain: int, registry: str, accounts: Sequence[Account]) -> None:
    """Enter those accounts into a chain's registry that are not there.

    Raises:
        SandboxError: the registry refuses, or its chain stands still.
    """
    missing = _unknown(url, chain, registry, accounts)
    if not missing:
        return
    # anvil signs for the accounts of its mnemonic.
    data = SET_VERIFIED + _word(64) + _word(1) + _list(missing)
    call = {"from": DEPLOYER.address, "to": registry, "data": data}
    name = rpc(url, chain, "eth_sendTransaction", call)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (receipt := rpc(url, chain, "eth_getTransactionReceipt", name)) is None:
        if time.monotonic() > deadline:
            raise SandboxError(f"Chain {chain} makes no blocks: nobody can be identified there.")
        time.sleep(POLL_SECONDS)
    if receipt["status"] != "0x1":
        raise SandboxError(f"The registry {registry} of chain {chain} refuses the sandbox's admin.")


def _unknown(url: str, chain: int, registry: str, accounts: Sequence[Account]) -> list[Account]:
    call = {"to": registry, "data": BATCH_IS_VERIFIED + _word(32) + _list(accounts)}
    answer = bytes.fromhex(rpc(url, chain, "eth_call", call, "latest")[2:])
    if not answer:
        raise SandboxError(
            f"Chain {chain} was begun anew, and the database knows its contracts of before. "
            "Remove .sandbox to begin all anew."
        )
    # Where the list begins, its length, then a word each.
    words = [int.from_bytes(answer[at : at + 32]) for at in range(64, len(answer), 32)]
    return [account for account, word in zip(accounts, words, strict=True) if not word]


def _list(accounts: Sequence[Account]) -> str:
    return _word(len(accounts)) + "".join(_word(int(it.address, 16)) for it in accounts)


def _word(number: int) -> str:
    return f"{number:064x}"
