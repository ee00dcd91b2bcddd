"""Names of the stages of a request, and of the relayers that send what is signed."""

ADMIT = "stablecoin.admit"
SIGN = "stablecoin.sign"
RELAY = "stablecoin.relay"


def send(chain_id: int) -> str:
    """Where signed requests of a chain wait for its relayer to take them."""
    return f"stablecoin.send.{chain_id}"


def settle(chain_id: int) -> str:
    """Where requests wait whose transaction is final and whose event is not applied yet."""
    return f"stablecoin.settle.{chain_id}"
