"""Base58 of byte strings of any length (solders knows keys, hashes and signatures only)."""

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """The base58 text of the bytes, one leading `1` for each leading zero byte."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        digits += ALPHABET[digit]
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits[::-1]


def decode(text: str) -> bytes:
    """The bytes of a base58 text.

    Raises:
        ValueError: the text holds a character outside the alphabet.
    """
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            raise ValueError(f"{character!r} is not a base58 character")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
