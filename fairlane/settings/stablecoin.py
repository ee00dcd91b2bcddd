"""The stablecoin's chains, key service and compliance service, as the environment names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fairlane.settings.env import Environment, Secret, is_plain_remote

PROFILES = ("A", "B", "C")

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class EvmChain:
    """One chain's settings.

    Attributes:
        rpc_urls: its providers, the preferred one first. They may hold keys.
        contract: the stablecoin's address; empty where `deploy_stablecoin` recorded it.
        relayer_key: the gas wallet's private key.
    """

    chain_id: int
    rpc_urls: tuple[str, ...]
    profile: str
    contract: str
    relayer_key: Secret


def evm_chains(env: Environment) -> dict[int, EvmChain]:
    """The chains that STABLECOIN_CHAINS lists; `none`, the default, leaves the stablecoin off."""
    names = env.words("STABLECOIN_CHAINS", default="none")
    if names == ["none"]:
        return {}
    env.refuse(
        not all(name.isascii() and name.isdigit() for name in names),
        "STABLECOIN_CHAINS must list chain ids, or say none",
    )
    ids = [int(name) for name in names if name.isascii() and name.isdigit()]
    env.refuse(len(set(ids)) < len(ids), "STABLECOIN_CHAINS names a chain twice")
    return {chain_id: _chain(env, chain_id) for chain_id in ids}


def _is_key(text: str) -> bool:
    return bool(_KEY.fullmatch(text)) and 0 < int(text.removeprefix("0x"), 16) < _CURVE_ORDER


def _chain(env: Environment, chain_id: int) -> EvmChain:
    rpc = f"KADENA_EVM_CHAIN_{chain_id}_RPC"
    urls = env.words(rpc)
    for url in urls:
        parts = urlsplit(url)
        env.refuse(
            parts.scheme not in ("http", "https") or not parts.hostname,
            f"{rpc}: an entry is no http or https URL",
        )
    profile = env.choice(f"STABLECOIN_PROFILE_{chain_id}", "A", PROFILES)
    contract = env.text(f"STABLECOIN_CONTRACT_ADDRESS_{chain_id}", default="")
    env.refuse(
        bool(contract) and (not _ADDRESS.fullmatch(contract) or not int(contract, 16)),
        f"STABLECOIN_CONTRACT_ADDRESS_{chain_id}: it is no address",
    )
    key = env.secret(f"RELAYER_PRIVATE_KEY_{chain_id}")
    env.refuse(
        bool(key) and not _is_key(key.reveal()),
        f"RELAYER_PRIVATE_KEY_{chain_id}: it is no private key in hex",
    )
    return EvmChain(chain_id, tuple(urls), profile, contract, key)


def refuse_unsafe(env: Environment, chains: dict[int, EvmChain], published: frozenset[str]) -> None:
    """What production asks beyond: contracts named, encrypted RPC, no key that everybody knows."""
    # Whoever deploys the contracts does not know their addresses yet, and has this key.
    deploys = bool(env.secret("DEPLOYER_PRIVATE_KEY", default=""))
    for chain_id, chain in chains.items():
        env.refuse(
            not chain.contract and not deploys,
            f"STABLECOIN_CONTRACT_ADDRESS_{chain_id} is not set",
        )
        env.refuse(
            any(is_plain_remote(url) for url in chain.rpc_urls),
            f"KADENA_EVM_CHAIN_{chain_id}_RPC must use https",
        )
        key = chain.relayer_key.reveal().lower().removeprefix("0x")
        env.refuse(key in published, f"RELAYER_PRIVATE_KEY_{chain_id} is a published one")
