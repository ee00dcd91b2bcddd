"""The EIP-712 domain of each chain's contract, checked against the contract itself once."""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from chains import registry as adapters
from chains.errors import Definitive
from chains.evm.ports import Call, Reverted
from stablecoin.profiles.base import DOMAIN_CALL, NAME_CALL
from stablecoin.registry import ChainInfo
from stablecoin.typed_data import Domain

VERSION = "1"
# ERC-5267: which fields, name, version, chain id, contract, salt, extensions.
_ERC5267 = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]

_checked: dict[tuple[int, str], Domain] = {}


def domain(chain: ChainInfo) -> Domain:
    """What approvals for the chain's contract are signed over.

    Raises:
        Definitive: the contract says something else of itself.
        Transient: the chain is out of reach.
    """
    key = chain.chain_id, chain.contract
    if key not in _checked:
        _checked[key] = _check(chain)
    return _checked[key]


def _check(chain: ChainInfo) -> Domain:
    calls = [Call(chain.contract, NAME_CALL), Call(chain.contract, DOMAIN_CALL)]
    named, told = adapters.run(adapters.evm(chain.chain_id).call(calls))
    name = chain.profile.domain_name or _name(named)
    expected = Domain(name, VERSION, chain.chain_id, chain.contract)
    if isinstance(told, Reverted) or not told:
        # A contract from before ERC-5267 cannot be asked.
        return expected
    try:
        _, name, version, chain_id, contract, _, _ = decode(_ERC5267, told)
    except (DecodingError, UnicodeDecodeError) as error:
        raise Definitive(f"eip712Domain cannot be read ({type(error).__name__})") from None
    found = (name, version, chain_id, contract.lower())
    if found != (expected.name, VERSION, chain.chain_id, chain.contract.lower()):
        raise Definitive(f"the contract on chain {chain.chain_id} has another EIP-712 domain")
    return expected


def _name(answer: bytes | Reverted) -> str:
    if isinstance(answer, Reverted):
        raise Definitive("the token does not tell its name")
    try:
        (name,) = decode(["string"], answer)
    except (DecodingError, UnicodeDecodeError):
        raise Definitive("the token's name cannot be read") from None
    return str(name)


def forget() -> None:
    """Ask the contracts again at the next use (in tests)."""
    _checked.clear()
