"""The key service's signatures, as a contract on chain recovers them."""

import secrets

from eth_abi.abi import decode, encode

from stablecoin.artifacts import artifact
from stablecoin.profiles.base import call
from stablecoin.tests.deployed import ADMIN, Deployed

MANY = 1_000


def test_a_contract_recovers_the_key_from_a_thousand_random_digests(deployed: Deployed) -> None:
    digests = [secrets.token_bytes(32) for _ in range(MANY)]
    signatures = [s for s in deployed.signer.sign(digests) if isinstance(s, bytes)]
    assert len(signatures) == MANY
    creation = "0x" + artifact("ManyRecovered").bytecode.hex()
    receipt = deployed.rpc("eth_sendTransactionSync", {"from": ADMIN, "data": creation})
    data = "0x" + call("recover(bytes32[],bytes[])", digests, signatures).hex()
    answer = deployed.rpc("eth_call", {"to": receipt["contractAddress"], "data": data}, "latest")
    expected = encode(["address[]"], [[deployed.signer.address()] * MANY])
    assert decode(["address[]"], bytes.fromhex(answer[2:])) == decode(["address[]"], expected)
