"""`python -m sandbox.stablecoin_traffic`: approvals of mints, and holders who redeem."""

import random
import sys
import threading
from collections import deque
from typing import Any

import httpx

from sandbox.evm import HOLDERS, OUTSIDER, Account, rpc
from sandbox.traffic import backoff, until_stopped

PAUSE_SECONDS = (2.0, 6.0)
TIMEOUT_SECONDS = 15
TOKEN = 10**18
USUAL = (10, 2_000)
# Above what one person may let pass; see sandbox.bootstrap.LIMITS.
LARGE = (10_001, 50_000)
# One mint in so many is large, or for somebody whom nobody identified.
LARGE_ONE_IN = 20
STRANGER_ONE_IN = 30
# One step in so many is a redemption.
REDEEM_ONE_IN = 3
# The service lists an approval as pending until so many later ones: longer than an outage takes.
PENDING = 100
# requestRedeem(uint256) and balanceOf(address)
REQUEST_REDEEM = "0xaa2f892d"
BALANCE_OF = "0x70a08231"


def main() -> int:
    return until_stopped(run)


def run(world: dict[str, Any], stop: threading.Event) -> None:
    """Mint and redeem until told to stop, more and more rarely while it is not taken."""
    pending: deque[str] = deque()
    pause = 0.0
    while not stop.wait(pause):
        chain = int(random.choice(list(world["contracts"])))
        try:
            if random.randrange(REDEEM_ONE_IN):
                approve(world, mint(chain), pending)
            else:
                redeem(world, chain, random.choice(HOLDERS))
        except (httpx.HTTPError, ValueError) as error:
            print(f"not taken: {error!r}", flush=True)
            pause = backoff(pause)
        else:
            pause = random.uniform(*PAUSE_SECONDS)


def mint(chain: int) -> dict[str, Any]:
    """What the compliance service is to approve."""
    stranger = not random.randrange(STRANGER_ONE_IN)
    user = OUTSIDER if stranger else random.choice(HOLDERS)
    tokens = random.randint(*(USUAL if random.randrange(LARGE_ONE_IN) else LARGE))
    return {
        "user": user.address,
        "amount": str(tokens * TOKEN),
        "fiatRef": f"wire-{random.randrange(10**8):08}",
        "chainId": chain,
    }


def approve(world: dict[str, Any], asked: dict[str, Any], pending: deque[str]) -> None:
    """Have a mint approved, and one of long ago settled."""
    name = _post(world, "approve", asked)["requestIds"][0]
    print("mint of {amount} for {user} on {chainId}".format(**asked), flush=True)
    pending.append(name)
    if len(pending) > PENDING:
        _post(world, "settle", {"requestIds": [pending.popleft()]})


def redeem(world: dict[str, Any], chain: int, holder: Account) -> bool:
    """Have a holder give back half of what it has; False where it has nothing."""
    contract, evm = world["contracts"][str(chain)]["address"], world["services"]["evm"]
    question = {"to": contract, "data": BALANCE_OF + _word(int(holder.address, 16))}
    amount = int(rpc(evm, chain, "eth_call", question, "latest"), 16) // 2
    if not amount:
        return False
    # anvil signs for the accounts of its mnemonic.
    call = {"from": holder.address, "to": contract, "data": REQUEST_REDEEM + _word(amount)}
    rpc(evm, chain, "eth_sendTransaction", call)
    print(f"redemption of {amount} by {holder.address} on {chain}", flush=True)
    return True


def _post(world: dict[str, Any], deed: str, body: dict[str, Any]) -> Any:
    url = f"{world['services']['kuro-rest']}/sandbox/{deed}"
    answer = httpx.post(url, json=body, timeout=TIMEOUT_SECONDS, trust_env=False)
    return answer.raise_for_status().json()


def _word(number: int) -> str:
    return f"{number:064x}"


if __name__ == "__main__":
    sys.exit(main())
