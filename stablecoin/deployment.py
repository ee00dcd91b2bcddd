"""Deploying the shipped contract: to an address that its content decides, so once and not twice."""

from dataclasses import dataclass

from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.types import TxParams

from stablecoin.artifacts import artifact

# The deterministic deployment proxy: the same address on every chain that has it. It creates
# what it is sent, under an address that depends on nothing else.
CREATE2_FACTORY = to_checksum_address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
_SALT = bytes(32)
RECEIPT_SECONDS = 120


class DeploymentError(Exception):
    """Why the contract cannot be deployed; it holds no secrets."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the contract is created with; see its constructor. Amounts are base units."""

    admin: str
    approver: str
    relayer: str
    max_per_transaction: int
    total_cap: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are, and a block at or before which the stablecoin's was created."""

    contract: str
    kyc_registry: str
    block_number: int


def deploy(rpc_url: str, *, chain_id: int, deployer_key: str, terms: Terms) -> Deployment:
    """Deploy registry and stablecoin where they are not yet; the same terms give the same address.

    Raises:
        DeploymentError: the node is of another chain, has no deployment proxy, or refused.
    """
    web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": 30}))
    if web3.eth.chain_id != chain_id:
        raise DeploymentError(f"the node is of chain {web3.eth.chain_id}, not {chain_id}")
    if not web3.eth.get_code(CREATE2_FACTORY):
        raise DeploymentError(
            f"chain {chain_id} has no deployment proxy at {CREATE2_FACTORY}; it is deployed there"
            " by a transaction that its authors have signed for every chain"
        )
    deployer: LocalAccount = Account.from_key(deployer_key)
    before = web3.eth.block_number
    registry = _create(web3, deployer, _creation("KycRegistry", ["address"], [terms.admin]))
    creation = _creation(
        "Stablecoin",
        ["address", "address", "address", "address", "uint256", "uint256"],
        [
            terms.admin,
            terms.approver,
            terms.relayer,
            registry,
            terms.max_per_transaction,
            terms.total_cap,
        ],
    )
    # Of one that is there already nobody knows since when: its events are read from the start.
    there = bool(web3.eth.get_code(to_checksum_address(address_of(creation))))
    return Deployment(_create(web3, deployer, creation), registry, 0 if there else before)


def address_of(creation: bytes) -> str:
    """Where the proxy creates what this code creates (EIP-1014)."""
    words = b"\xff" + bytes.fromhex(CREATE2_FACTORY[2:]) + _SALT + keccak(creation)
    return str(to_checksum_address(keccak(words)[12:]))


def _creation(name: str, types: list[str], values: list[object]) -> bytes:
    return artifact(name).bytecode + encode(types, values)


def _create(web3: Web3, deployer: LocalAccount, creation: bytes) -> str:
    address = to_checksum_address(address_of(creation))
    if web3.eth.get_code(address):
        return address
    call: TxParams = {
        "from": deployer.address,
        "to": CREATE2_FACTORY,
        "data": "0x" + (_SALT + creation).hex(),  # type: ignore[typeddict-item]
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(deployer.address),
        "value": 0,  # type: ignore[typeddict-item]
    }
    latest = web3.eth.get_block("latest")
    tip = web3.eth.max_priority_fee
    call["maxPriorityFeePerGas"] = tip
    call["maxFeePerGas"] = 2 * latest["baseFeePerGas"] + tip  # type: ignore[typeddict-item]
    call["gas"] = web3.eth.estimate_gas(call) * 6 // 5
    del call["from"]
    signed = deployer.sign_transaction(call)  # type: ignore[arg-type]
    sent = web3.eth.send_raw_transaction(signed.raw_transaction)
    receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=RECEIPT_SECONDS)
    if receipt["status"] != 1 or not web3.eth.get_code(address):
        raise DeploymentError(f"transaction {sent.to_0x_hex()} did not create the contract")
    return address
