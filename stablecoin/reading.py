"""Values that come from outside, read strictly: what a request is made of."""

import re

from eth_utils.address import is_checksum_address, to_checksum_address

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,77}")
# Printable ASCII, which no log, page or contract shows as something else.
_NAME = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")


class Unreadable(ValueError):
    """Why a value cannot be read, for whoever sent it."""


def name(value: object) -> str:
    """A request's name outside.

    Raises:
        Unreadable: it is none.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Unreadable("1 to 128 printable ASCII characters are asked for")
    return value


def account(value: object) -> str:
    """An account, with its EIP-55 checksum.

    Raises:
        Unreadable: it is none, or its checksum is wrong.
    """
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise Unreadable("it is no address")
    digits = value[2:]
    mixed = digits not in (digits.lower(), digits.upper())
    if mixed and not is_checksum_address(value):
        raise Unreadable("its checksum is wrong")
    if not int(digits, 16):
        raise Unreadable("it is the zero address")
    return to_checksum_address(value)


def amount(value: object) -> int:
    """Base units. A JSON number may have passed through a float, which keeps 53 bits of it.

    Raises:
        Unreadable: it is no amount above zero of up to 256 bits, as text.
    """
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Unreadable("base units as text, above zero, are asked for")
    units = int(value)
    if units >= 2**256:
        raise Unreadable("it is beyond 256 bits")
    return units


def chain(value: object) -> int:
    """
    Raises:
        Unreadable: it is no chain id.
    """
    if type(value) is not int or not 0 < value < 2**31:
        raise Unreadable("it is no chain id")
    return value


def reference(value: object) -> str:
    """The bank's or the compliance service's word for the money; empty where there is none.

    Raises:
        Unreadable: it is none.
    """
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Unreadable("up to 128 printable ASCII characters are allowed")
    return value
