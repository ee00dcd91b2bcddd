"""The tokens of the sandbox's chain, under their mainnet mints."""

from dataclasses import dataclass
from decimal import Decimal

from solders.pubkey import Pubkey

TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
NATIVE_MINT = Pubkey.from_string("So11111111111111111111111111111111111111112")


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its price in US dollars, from which the makers start."""

    symbol: str
    name: str
    mint: Pubkey
    decimals: int
    usd: Decimal
    token2022: bool = False

    @property
    def program(self) -> Pubkey:
        return TOKEN_2022_PROGRAM if self.token2022 else TOKEN_PROGRAM

    def worth(self, usd: int) -> int:
        """The base units that are worth so many US dollars, rounded down."""
        return int(usd / self.usd * 10**self.decimals)


def _token(
    symbol: str, name: str, mint: str, decimals: int, usd: str, *, token2022: bool = False
) -> Token:
    return Token(symbol, name, Pubkey.from_string(mint), decimals, Decimal(usd), token2022)


TOKENS = (
    _token("SOL", "Wrapped SOL", str(NATIVE_MINT), 9, "160"),
    _token("USDC", "USD Coin", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6, "1"),
    _token("USDT", "Tether USD", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6, "1"),
    _token("BONK", "Bonk", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5, "0.00002"),
    _token("JUP", "Jupiter", "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6, "0.5"),
    _token(
        "PYUSD",
        "PayPal USD",
        "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo",
        6,
        "1",
        token2022=True,
    ),
)
