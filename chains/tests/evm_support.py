"""A small contract, and transactions that call it."""

from eth_utils.address import to_checksum_address

from chains.evm.fees import Fees
from chains.evm.transactions import RelayerKey, SignedTransaction, sign
from sandbox import evm

CHAIN = 5920
KEY = RelayerKey.parse(evm.RELAYERS[CHAIN].key)
GWEI = 10**9
FEES = Fees(20 * GWEI, GWEI)

# Logs its first word of call data, as topic and as data; a word whose first byte is not zero it
# refuses, with the word as its error.
_RUNTIME = (
    "6000356000526000516000"  # mem[0] = calldata[0]
    "1a601857"  # if its first byte is not zero, go to the end
    "60005160206000a100"  # log, stop
    "5b60206000fd"  # revert
)
LOGGER = to_checksum_address("0x" + "0f" * 20)


def install(url: str, chain: int = CHAIN) -> None:
    """Put the contract on the chain."""
    evm.rpc(url, chain, "anvil_setCode", LOGGER, "0x" + _RUNTIME)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def topic(number: int) -> str:
    return "0x" + word(number).hex()


def nonce(url: str) -> int:
    count: str = evm.rpc(url, CHAIN, "eth_getTransactionCount", KEY.address, "latest")
    return int(count, 16)


def transaction(
    number: int, *, nonce: int, fees: Fees = FEES, gas: int = 60_000, chain: int = CHAIN
) -> SignedTransaction:
    """Has the contract log `number`."""
    return sign(KEY, chain_id=chain, nonce=nonce, to=LOGGER, data=word(number), gas=gas, fees=fees)
