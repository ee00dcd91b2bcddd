"""How many requests the pipeline carries to finality, beside what chains and key service can do."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks.mints import Mints, mint
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack
from chains.evm.fees import Fees
from chains.evm.transactions import RelayerKey, SignedTransaction, sign
from chains.kms import KmsSigner
from sandbox.evm import HOLDERS, Account, provider_url, rpc
from sandbox.fleet import BLOCK_MS
from sandbox.kms import KEY_ID, REGION, kms_environment
from sandbox.plan import CONFIRMATIONS

TARGET = 50
GWEI = 10**9
PER_CALL = 100
POLL_SECONDS = 0.05
# transfer(address,uint256)
TRANSFER = bytes.fromhex("a9059cbb")


def measure(stack: Stack, *, counts: Sequence[int], signatures: int) -> list[Section]:
    """Mints over one chain and over all; `counts` has how many for each."""
    chains = stack.plan.chains
    groups = [chains[:1], chains]
    # Everybody holds tokens before transfers are measured.
    mint(stack, chains, len(chains) * len(HOLDERS))
    kms = _signatures(stack, signatures)
    figures: list[Figure] = []
    done: list[Mints] = []
    for group, count in zip(groups, counts, strict=True):
        floor = _transfers(stack, group, count)
        found = mint(stack, group, count)
        name = f"{count:,} mints over {len(group)} chain{'s' * (len(group) > 1)}"
        target = TARGET if group == chains else None
        figures += [
            Figure(
                f"{name}: to finality", found.rate, "mints/s", target, "more",
                floor, "bare transfers, mined",
            ),
            Figure(f"{name}: p50 from heard of to final", found.latency, "s"),
            Figure(f"{name}: CPU of all parts", found.cpu_ms, "ms per mint"),
        ]  # fmt: skip
        done.append(found)
    figures += [
        Figure("signatures of the key service alone", kms, "/s"),
        Figure("the key service is used to, at that rate", 100 * done[-1].rate / kms, "%"),
    ]
    return [
        Section(
            "Mints, from approval to the final block",
            f"Blocks every {BLOCK_MS / 1000:.0f} s, final {CONFIRMATIONS} blocks later; the wait "
            "for the last blocks is part of the time. Each mint is on chain once: the supply is "
            "compared. The floor sends signed transfers of tokens and waits for their blocks.",
            figures,
        ),
        Section(
            f"CPU time per mint, of {done[-1].count:,} mints",
            "User and system time of each part with its children.",
            [
                Figure(name, 1e3 * seconds / done[-1].count, "ms")
                for name, seconds in done[-1].cpu.items()
            ],
        ),
    ]


def _signatures(stack: Stack, count: int) -> float:
    """Per second, of the product's own signer with nothing else to do."""
    os.environ |= kms_environment(stack.plan.services["kms"])
    signer = KmsSigner(KEY_ID, REGION)
    digests = [number.to_bytes(32) for number in range(1, count + 1)]
    signer.sign(digests[:10])
    started = time.perf_counter()
    answers = signer.sign(digests)
    seconds = time.perf_counter() - started
    if not all(isinstance(answer, bytes) for answer in answers):
        raise RuntimeError("the key service did not sign every digest")
    return count / seconds


def _transfers(stack: Stack, chains: Sequence[int], count: int) -> float:
    """Per second, sent to the chains' nodes and mined, of transactions signed beforehand."""
    each = count // len(chains)
    holder, other = HOLDERS[:2]
    data = TRANSFER + bytes.fromhex(f"{int(other.address, 16):064x}{1:064x}")
    signed = {
        chain: signed_calls(stack, chain, holder, data, gas=100_000, count=each) for chain in chains
    }
    started = time.perf_counter()
    with ThreadPoolExecutor(len(chains)) as threads:
        list(threads.map(lambda chain: send_and_wait(stack, chain, signed[chain]), chains))
    return each * len(chains) / (time.perf_counter() - started)


def signed_calls(
    stack: Stack, chain: int, holder: Account, data: bytes, *, gas: int, count: int
) -> list[SignedTransaction]:
    """The same call of a chain's contract, so many times, with the holder's next nonces."""
    url, key = stack.plan.services["evm"], RelayerKey.parse(holder.key)
    first = int(rpc(url, chain, "eth_getTransactionCount", holder.address, "latest"), 16)
    to, fees = stack.contracts[chain], Fees(10 * GWEI, GWEI)
    return [
        sign(key, chain_id=chain, nonce=first + at, to=to, data=data, gas=gas, fees=fees)
        for at in range(count)
    ]


def send_and_wait(stack: Stack, chain: int, signed: Sequence[SignedTransaction]) -> None:
    """Return when the last one is in a block.

    Raises:
        RuntimeError: the chain's node refuses one.
    """
    evm = stack.plan.services["evm"]
    with httpx.Client(timeout=60, trust_env=False) as client:
        for at in range(0, len(signed), PER_CALL):
            batch = [
                {
                    "jsonrpc": "2.0",
                    "id": number,
                    "method": "eth_sendRawTransaction",
                    "params": ["0x" + transaction.raw.hex()],
                }
                for number, transaction in enumerate(signed[at : at + PER_CALL])
            ]
            answers = client.post(provider_url(evm, chain), json=batch).raise_for_status().json()
            if any("error" in answer for answer in answers):
                raise RuntimeError(f"chain {chain} refused a transaction: {answers[0]}")
    while rpc(evm, chain, "eth_getTransactionReceipt", signed[-1].hash) is None:
        time.sleep(POLL_SECONDS)
