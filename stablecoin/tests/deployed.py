"""The shipped contract on a chain of its own, where every transaction has a block at once."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from coincurve import PrivateKey
from eth_abi.abi import decode
from eth_utils.abi import event_abi_to_log_topic, function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address

from chains.evm.ports import ApprovalSigner
from sandbox.evm import DEPLOYER, HOLDERS, RELAYERS, Account
from stablecoin.artifacts import artifact
from stablecoin.deployment import Terms, deploy
from stablecoin.profiles import MintTerms, RedeemTerms, profile
from stablecoin.profiles.base import call
from stablecoin.tests.outside import CHAIN, TOKEN
from stablecoin.typed_data import Domain

ADMIN = DEPLOYER.address
RELAYER = RELAYERS[CHAIN].address
# Approves beside the key service, with a key that tests have.
APPROVER = RELAYERS[5921]
PER_TRANSACTION = 1_000 * TOKEN
TOTAL = 5_000 * TOKEN
FAR = 2**63
A = profile("A")

# An event or an error: its name, then its arguments.
Told = tuple[object, ...]
Sign = Callable[[bytes], bytes]


class Refused(Exception):
    """The contract reverted a mined transaction; the argument is its error."""

    @property
    def told(self) -> Told:
        return cast(Told, self.args[0])


def signer(account: Account) -> Sign:
    """Signs digests as the account does."""
    key = PrivateKey.from_hex(account.key)

    def sign(digest: bytes) -> bytes:
        signed = key.sign_recoverable(digest, hasher=None)
        return signed[:64] + bytes([27 + signed[64]])

    return sign


@dataclass
class Deployed:
    """The stablecoin and its registry, as whoever calls them sees them.

    Attributes:
        signer: the key service, which is the approver that the contract was deployed with.
    """

    url: str
    signer: ApprovalSigner
    address: str = ""
    registry: str = ""
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._http = httpx.Client(timeout=60, trust_env=False)
        terms = Terms(ADMIN, self.signer.address(), RELAYER, PER_TRANSACTION, TOTAL)
        made = deploy(self.url, chain_id=CHAIN, deployer_key=DEPLOYER.key, terms=terms)
        self.address, self.registry = made.contract, made.kyc_registry
        self.domain = Domain("Stablecoin", "1", CHAIN, self.address)
        abi = artifact("Stablecoin").abi
        self._functions = {item["name"]: item for item in abi if item["type"] == "function"}
        self._events = {
            event_abi_to_log_topic(cast(Any, item)).hex(): item
            for item in abi
            if item["type"] == "event"
        }
        self._errors = {
            function_signature_to_4byte_selector(_signature(item)): item
            for item in abi
            if item["type"] == "error"
        }
        self.verify(*(holder.address for holder in HOLDERS))
        self.grant("APPROVER_ROLE", APPROVER.address)

    def close(self) -> None:
        """Close the connection to the chain."""
        self._http.close()

    # Calls

    def call(self, name: str, *values: object) -> bytes:
        """Call data of a function of the token."""
        return call(_signature(self._functions[name]), *values)

    def ask(self, name: str, *values: object) -> Any:
        """What a function of the token answers now."""
        (answer,) = self.ask_all([(name, *values)])
        return answer

    def ask_all(self, questions: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What functions answer now: each is named first, then come its arguments."""
        asked = [
            ("eth_call", {"to": self.address, "data": "0x" + self.call(*q).hex()}, "latest")
            for q in questions
        ]
        answers = []
        for (name, *_), answer in zip(questions, self._post(asked), strict=True):
            outputs = [output["type"] for output in self._functions[name]["outputs"]]
            values = _readable(outputs, decode(outputs, bytes.fromhex(answer["result"][2:])))
            answers.append(values[0] if len(values) == 1 else values)
        return answers

    def send(self, sender: str, data: bytes, to: str = "") -> list[Told]:
        """Have a call mined; returns the events, without those that are the ERC-20's own.

        Raises:
            Refused: it was reverted.
        """
        sent = {"from": sender, "to": to or self.address, "data": "0x" + data.hex()}
        receipt = self.rpc("eth_sendTransactionSync", sent | {"gas": hex(600_000)})
        if receipt["status"] != "0x1":
            raise Refused(self._error(sent))
        told = [self._event(entry) for entry in receipt["logs"] if to in ("", self.address)]
        return [event for event in told if event[0] not in ("Transfer", "Approval")]

    def refusal(self, sender: str, data: bytes) -> Told:
        """The error that a call is refused with, which it has to be."""
        try:
            told = self.send(sender, data)
        except Refused as refused:
            return refused.told
        raise AssertionError(f"it was done: {told}")

    def rpc(self, method: str, *params: object) -> Any:
        (answer,) = self._post([(method, *params)])
        assert "error" not in answer, answer
        return answer["result"]

    def key_service(self, digest: bytes) -> bytes:
        """The key service's signature."""
        (signature,) = self.signer.sign([digest])
        assert isinstance(signature, bytes)
        return signature

    # What people do

    def mint_terms(self, to: str = HOLDERS[0].address, amount: int = TOKEN) -> MintTerms:
        """A mint under a name and a nonce that were never used."""
        number = next(self._numbers)
        return MintTerms(f"mint-{number}", to, amount, number, FAR, CHAIN)

    def redeem_terms(self, request_id: str, holder: str, amount: int) -> RedeemTerms:
        return RedeemTerms(request_id, holder, amount, next(self._numbers), FAR, "")

    def mint_call(
        self, terms: MintTerms, sign: Sign | None = None, domain: Domain | None = None
    ) -> bytes:
        """Call data with an approval of the key service, or of another, maybe for elsewhere."""
        digest = A.mint_digest(domain or self.domain, terms)
        return A.mint_call(terms, (sign or self.key_service)(digest))

    def redeem_call(
        self, terms: RedeemTerms, sign: Sign | None = None, domain: Domain | None = None
    ) -> bytes:
        digest = A.redeem_digest(domain or self.domain, terms)
        return A.redeem_call(terms, (sign or self.key_service)(digest))

    def mint(self, to: str = HOLDERS[0].address, amount: int = TOKEN) -> MintTerms:
        """Mint; returns what was minted."""
        terms = self.mint_terms(to, amount)
        self.send(RELAYER, self.mint_call(terms, signer(APPROVER)))
        return terms

    def redeem(self, holder: str = HOLDERS[0].address, amount: int = TOKEN) -> RedeemTerms:
        """A holder gives tokens up; returns what an approval would finalize."""
        ((_, request_id, _, _),) = self.send(holder, self.call("requestRedeem", amount))
        return self.redeem_terms(str(request_id), holder, amount)

    def foretell(self, holder: str, amount: int) -> str:
        """The name that a holder's redeem would have now."""
        ask = {"from": holder, "to": self.address}
        data = "0x" + self.call("requestRedeem", amount).hex()
        answer = self.rpc("eth_call", ask | {"data": data}, "latest")
        return str(decode(["string"], bytes.fromhex(answer[2:]))[0])

    def verify(self, *accounts: str, verified: bool = True) -> None:
        data = call("setVerified(address[],bool)", list(accounts), verified)
        self.send(ADMIN, data, self.registry)

    def freeze(self, account: str, frozen: bool = True) -> None:
        self.send(ADMIN, self.call("setFrozen", account, frozen))

    def grant(self, role: str, account: str) -> None:
        self.send(ADMIN, self.call("grantRole", self.ask(role), account))

    def now(self) -> int:
        """The newest block's unix seconds."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def _post(self, calls: Sequence[tuple[object, ...]]) -> list[Any]:
        """The answers to a batch."""
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, *params) in enumerate(calls)
        ]
        answers: list[Any] = self._http.post(self.url, json=batch).raise_for_status().json()
        return sorted(answers, key=lambda answer: int(answer["id"]))

    def _event(self, entry: dict[str, Any]) -> Told:
        item = self._events[entry["topics"][0][2:]]
        indexed = [i["type"] for i in item["inputs"] if i["indexed"]]
        plain = [i["type"] for i in item["inputs"] if not i["indexed"]]
        topics = iter(decode(indexed, bytes.fromhex("".join(t[2:] for t in entry["topics"][1:]))))
        values = iter(decode(plain, bytes.fromhex(entry["data"][2:])))
        ordered = [next(topics if i["indexed"] else values) for i in item["inputs"]]
        return _told(item, ordered)

    def _error(self, sent: dict[str, str]) -> Told:
        (answer,) = self._post([("eth_call", sent, "latest")])
        data = bytes.fromhex(answer["error"]["data"][2:])
        item = self._errors[data[:4]]
        return _told(item, list(decode([i["type"] for i in item["inputs"]], data[4:])))


def _signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(i['type'] for i in item['inputs'])})"


def _told(item: dict[str, Any], values: Sequence[object]) -> Told:
    return item["name"], *_readable([i["type"] for i in item["inputs"]], values)


def _readable(types: Sequence[str], values: Sequence[object]) -> tuple[Any, ...]:
    """Addresses with their checksum, as everywhere else."""
    pairs = zip(types, values, strict=True)
    return tuple(to_checksum_address(cast(str, v)) if t == "address" else v for t, v in pairs)
