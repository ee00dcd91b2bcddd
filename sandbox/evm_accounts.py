"""The accounts that own money on the sandbox's EVM chains. Everybody knows their keys.

Written out, because deriving them from the mnemonic takes a start longer than everything else that
it does with them; a test derives them.
"""

from dataclasses import dataclass, field

MNEMONIC = "pair sock tail frown symptom bracket gravity stool stay window guard panda"


@dataclass(frozen=True, slots=True)
class Account:
    """An EIP-55 address and its private key in hex, without 0x."""

    address: str
    key: str = field(repr=False)


# In the order of derivation, m/44'/60'/0'/0/n.
ACCOUNTS = (
    Account(
        "0x29280F0BA0fA66c94F4C9B83D50b357104Db46DE",
        "f7cb1cffd095a3cb64fccfebe45a87980d73570fe69244737a56f8628985b00a",
    ),
    Account(
        "0x2a10Ad362b6fceFC4758684faB923aA18Da7Fe2A",
        "d0336d82514eeed6a20feb841a1c6f0f23be9b732a5c04aa1f13e0c52eaf753e",
    ),
    Account(
        "0xE0b28C0Bac3FB55Ca5F1D2fA17e6820F06154c11",
        "179a1d983cd2f62af8e6347fe0a53fd5fbe8693df2a8c514e1a13aa8aa41151c",
    ),
    Account(
        "0x1f912907b3c1ea2C6347D40dE74848b4169A60f7",
        "b5b43a001bcf1da54dee4baf588444671d58e5294500c408a804fdde3b84ca1d",
    ),
    Account(
        "0x98E0F199c80de6fE07ff7f28909d3383c0d9d4Ad",
        "fb306f0a1d1b7cb4c0928fe82a993fbcfc9bd4bbbe0ee1eb958d15450fb323fa",
    ),
    Account(
        "0xA2019269a1cF6656eaB5d2B213df48b6B8108d48",
        "9ac170bd7af0e3582680693b34463780573df87f53a5f4eef07c946e487525b0",
    ),
    Account(
        "0xF749E85d387eA7982a1b6782e5Ec9dE0B8E940c4",
        "331a70e5c6c981b14e9ebed77da5df2dc40a4ffe2cfbc70ff91f12de1b2cd279",
    ),
    Account(
        "0xc9dC765461F8f4A734FC94Fd1d96223d1d22Aa71",
        "b03e62660d00de16de51e9ea77031a55e8d60cc437c7dae22ced2cf947fcb7b8",
    ),
    Account(
        "0x67100811C3d9E1866447D36569D58CeCa5466C2e",
        "2a577262b1159d1c44b326e5ee157630dd90f323349a5f0a7b50ae989f207728",
    ),
    Account(
        "0x0d306a42FF7d742D8DE717e7a4c4f97C8E6234a1",
        "d68573d635cb2ebdbd2799e943e15b588c9a177e068487b300bad30e7556c5d8",
    ),
    Account(
        "0xEea0AC7A160B52fC612FF76688C90dD2f4e1b016",
        "11420769019c96af7a7bfaec5f34a088affd46f49fbe7dd5f05938a429274184",
    ),
    Account(
        "0xab157A3013A64BF455ddCA88493fc5308137C4b7",
        "9b79c09b095a4cb80e2873020ba9d5f76452cae1554f2eb702a1d97f1d8cf089",
    ),
    Account(
        "0xde7447205ab766275AF8de6bc8f82359743b7233",
        "ddc91f274697bf31a1c4295c231c471e2e2bd4377580fe260d70c40928cc1923",
    ),
    Account(
        "0x6A9053383343e7a95F98FB452eF0d1d2C42FD139",
        "72b6d29137613a1b5a49f119f9ed77f66ad4365f9d7f9c67122cf9c6dbc61a03",
    ),
    Account(
        "0x11F81Ffb573b605951eEF3e9AEf547D9E53D28e8",
        "61b5f9b59f3edee93dfaafcad03aa8ab6ff41b0d35e02febe93524828a5b3605",
    ),
)

DEPLOYER = ACCOUNTS[0]
"""Deploys the contracts and administers them."""
RELAYERS = dict(zip((5920, 5921, 5922, 5923, 5924), ACCOUNTS[1:6], strict=True))
"""Who pays for gas, by chain id."""
HOLDERS = ACCOUNTS[6:14]
OUTSIDER = ACCOUNTS[14]
"""Holds coins for gas, and is not in any KYC registry."""

PUBLISHED_KEYS = frozenset(account.key for account in ACCOUNTS)
