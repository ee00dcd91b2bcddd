"""The EVM chains of a stack: what they hold, asked of themselves, and what people do there."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_utils.address import to_checksum_address
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from sandbox import evm
from sandbox.evm import DEPLOYER, HOLDERS, PROVIDERS, RELAYERS, Account, evm_command, provider_url
from sandbox.kms import kms_command, kms_environment
from sandbox.kuro import kuro_command, kuro_environment
from sandbox.ports import HOST
from stablecoin.artifacts import artifact

PARTS = ("evm", "kms", "kuro")
TOKEN = 10**18
# Several blocks go by in a relayer's cycle, as they do not out there: nothing waits for them.
BLOCK_MS = 200
CONFIRMATIONS = 3

Happened = Counter[tuple[str, str, int]]
"""How often something was told of a request's id, account and amount."""


@dataclass
class EvmChain:
    """One chain behind the gateway at ``url``, with the stablecoin's contract."""

    url: str
    chain_id: int
    contract: str = ""

    @property
    def relayer(self) -> str:
        """The address that pays for the gas."""
        return RELAYERS[self.chain_id].address

    @property
    def web3(self) -> Web3:
        return Web3(HTTPProvider(provider_url(self.url, self.chain_id)))

    def supply(self) -> int:
        return int(self._contract("Stablecoin", self.contract).functions.totalSupply().call())

    def locked(self) -> int:
        return int(self._contract("Stablecoin", self.contract).functions.lockedAmount().call())

    def happened(self, event: str) -> Happened:
        """Every event of this name that the chain holds."""
        kind = self._contract("Stablecoin", self.contract).events[event]
        account = "to" if event == "Minted" else "from"
        return Counter(
            (log["args"]["requestId"], log["args"][account], log["args"]["amount"])
            for log in kind().get_logs(from_block=0)
        )

    def redeem(self, holder: Account, amount: int) -> None:
        """A holder gives tokens up, and a block has it."""
        function = self._contract("Stablecoin", self.contract).functions.requestRedeem(amount)
        # anvil signs for the accounts of its mnemonic.
        sent = function.transact({"from": to_checksum_address(holder.address)})
        assert self.web3.eth.wait_for_transaction_receipt(sent, 30, 0.05)["status"] == 1

    def identify(self, *accounts: Account) -> None:
        """Put accounts on the registry's list of those who were identified."""
        address = self._contract("Stablecoin", self.contract).functions.kycRegistry().call()
        names = [to_checksum_address(account.address) for account in accounts]
        function = self._contract("KycRegistry", address).functions.setVerified(names, True)
        sent = function.transact({"from": to_checksum_address(DEPLOYER.address)})
        assert self.web3.eth.wait_for_transaction_receipt(sent, 30, 0.05)["status"] == 1

    def used_nonces(self) -> int:
        """How many transactions of the relayer blocks have."""
        return self.web3.eth.get_transaction_count(to_checksum_address(self.relayer))

    def turn(self, node: str | None = None, **knobs: object) -> None:
        """Turn knobs of the chain, or of one of its providers."""
        evm.knobs(self.url, self.chain_id, node, **knobs)

    def reorganise(self, depth: int, transactions: str = "keep") -> None:
        evm.reorg(self.url, self.chain_id, depth, transactions)

    def mine(self, blocks: int = 1) -> None:
        evm.mine(self.url, self.chain_id, blocks)

    def heal(self) -> None:
        evm.heal(self.url, self.chain_id)

    def _contract(self, name: str, address: str) -> Contract:
        found: Contract = self.web3.eth.contract(
            address=to_checksum_address(address), abi=artifact(name).abi
        )
        return found


def environment(ports: Mapping[str, int], chains: Iterable[int]) -> dict[str, str]:
    """What Fairlane reads of the chains, the key service and the compliance service."""
    url = {name: f"http://{HOST}:{ports[name]}" for name in PARTS}
    settings = {
        "STABLECOIN_CHAINS": ",".join(map(str, chains)),
        "STABLECOIN_CONFIRMATIONS": str(CONFIRMATIONS),
        "DEPLOYER_PRIVATE_KEY": DEPLOYER.key,
        **kms_environment(url["kms"]),
        **kuro_environment(url["kuro"]),
    }
    for chain in chains:
        urls = [provider_url(url["evm"], chain, node) for node in PROVIDERS]
        settings[f"KADENA_EVM_CHAIN_{chain}_RPC"] = ",".join(urls)
        settings[f"RELAYER_PRIVATE_KEY_{chain}"] = RELAYERS[chain].key
    return settings


def command(name: str, *, port: int, folder: Path, chains: Collection[int]) -> list[str]:
    """The command of one of the parts."""
    match name:
        case "evm":
            state = folder / "chains"
            return evm_command(port=port, chains=list(chains), block_ms=BLOCK_MS, state=state)
        case "kms":
            return kms_command(port=port, key_file=folder / "kms.pem")
        case "kuro":
            return kuro_command(port=port, approvals=folder / "kuro.jsonl")
    raise ValueError(name)


@contextmanager
def hurrying(chains: Iterable[EvmChain]) -> Iterator[None]:
    """With chains that make a block for every transaction: a deployment takes many."""
    for chain in chains:
        chain.turn(block_ms=0)
    yield
    for chain in chains:
        chain.heal()


def settle_in(chains: Mapping[int, EvmChain], deployed: str) -> None:
    """Note where the contracts are, as the deployment printed it, and identify the holders."""
    for line in deployed.splitlines():
        chain_id, contract = line.split()
        chains[int(chain_id)].contract = contract
        chains[int(chain_id)].identify(*HOLDERS)
