"""The outside world of the tests: a chain, a key service, a compliance service, all real parts."""

from dataclasses import dataclass
from typing import Any

import httpx
from eth_account import Account as EthAccount
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from sandbox import evm
from sandbox.evm import DEPLOYER, Account
from sandbox.processes import Part
from stablecoin.artifacts import artifact

CHAIN = 5920
TOKEN = 10**18
# Wei per gas, of the first block of every test.
BASE_FEE = 10**9


@dataclass
class Outside:
    """The parts that run, and what people and holders do there."""

    evm: Part
    kms: Part
    kuro: Part
    contract: str = ""
    kyc_registry: str = ""
    _snapshot: str = ""

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        return tuple(evm.provider_url(self.evm.url, CHAIN, node) for node in ("a", "b"))

    @property
    def web3(self) -> Web3:
        return Web3(HTTPProvider(self.rpc_urls[0]))

    @property
    def token(self) -> Contract:
        found: Contract = self.web3.eth.contract(
            address=Web3.to_checksum_address(self.contract), abi=artifact("Stablecoin").abi
        )
        return found

    @property
    def registry(self) -> Contract:
        found: Contract = self.web3.eth.contract(
            address=Web3.to_checksum_address(self.kyc_registry), abi=artifact("KycRegistry").abi
        )
        return found

    def verify(self, *accounts: Account) -> None:
        """Put accounts on the registry's list of those who were identified."""
        names = [a.address for a in accounts]
        self.transact(DEPLOYER, self.registry.functions.setVerified(names, True))

    def redeem(self, holder: Account, amount: int) -> str:
        """A holder gives tokens up; returns the transaction's hash."""
        return self.transact(holder, self.token.functions.requestRedeem(amount))

    def transact(self, sender: Account, function: Any) -> str:
        """Send a call and mine it."""
        web3 = self.web3
        call = function.build_transaction(
            {
                "from": sender.address,
                "nonce": web3.eth.get_transaction_count(Web3.to_checksum_address(sender.address)),
                "gas": 500_000,
            }
        )
        signed = EthAccount.from_key(sender.key).sign_transaction(call)
        sent = web3.eth.send_raw_transaction(signed.raw_transaction)
        self.mine()
        assert web3.eth.wait_for_transaction_receipt(sent)["status"] == 1
        return sent.to_0x_hex()

    def remember(self) -> None:
        """Be able to come back to this moment of the chain, and settle what is pending."""
        self._snapshot = evm.rpc(self.evm.url, CHAIN, "evm_snapshot")
        names = [approval["requestId"] for approval in self.pending()]
        settle = {"requestIds": names}
        httpx.post(f"{self.kuro.url}/sandbox/settle", json=settle, trust_env=False)

    def rewind(self) -> None:
        """Bring the chain back to the moment that was remembered, with what no snapshot holds."""
        if self._snapshot:
            evm.rpc(self.evm.url, CHAIN, "anvil_dropAllTransactions")
            assert evm.rpc(self.evm.url, CHAIN, "evm_revert", self._snapshot)
            evm.rpc(self.evm.url, CHAIN, "anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))

    def transact_plain(self, sender: Account) -> None:
        """A transfer of nothing, as somebody makes it by hand; mined."""
        self.call_plainly(sender, sender.address, b"", gas=21_000)

    def call_plainly(self, sender: Account, to: str, data: bytes, *, gas: int) -> None:
        """A transaction as somebody makes it by hand; mined."""
        web3 = self.web3
        call = {
            "to": Web3.to_checksum_address(to),
            "data": data,
            "nonce": web3.eth.get_transaction_count(Web3.to_checksum_address(sender.address)),
            "gas": gas,
            "gasPrice": 3 * 10**9,
            "chainId": CHAIN,
        }
        signed = EthAccount.from_key(sender.key).sign_transaction(call)
        web3.eth.send_raw_transaction(signed.raw_transaction)
        self.mine()

    def automine(self, on: bool) -> None:
        """Whether every transaction gets a block at once."""
        evm.rpc(self.evm.url, CHAIN, "evm_setAutomine", on)

    def mine(self, blocks: int = 1) -> None:
        if blocks:
            evm.mine(self.evm.url, CHAIN, blocks)

    def reorg(self, depth: int, transactions: str = "keep") -> None:
        evm.reorg(self.evm.url, CHAIN, depth, transactions)

    def approve(self, **approval: object) -> str:
        """The compliance service approves a mint; returns its request id."""
        answer = httpx.post(f"{self.kuro.url}/sandbox/approve", json=approval, trust_env=False)
        answer.raise_for_status()
        return str(answer.json()["requestIds"][0])

    def pending(self) -> list[Any]:
        answer = httpx.get(f"{self.kuro.url}/api/mint-requests/pending", trust_env=False)
        found: list[Any] = answer.raise_for_status().json()
        return found

    @property
    def supply(self) -> int:
        return int(self.token.functions.totalSupply().call())

    def balance(self, account: Account) -> int:
        return int(self.token.functions.balanceOf(Web3.to_checksum_address(account.address)).call())
