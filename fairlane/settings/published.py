"""Private keys that are printed in public: whoever uses one for money gives it away."""

from __future__ import annotations

PUBLISHED_KEYS = frozenset(
    {
        # The sandbox's own.
        "f7cb1cffd095a3cb64fccfebe45a87980d73570fe69244737a56f8628985b00a",
        "d0336d82514eeed6a20feb841a1c6f0f23be9b732a5c04aa1f13e0c52eaf753e",
        "179a1d983cd2f62af8e6347fe0a53fd5fbe8693df2a8c514e1a13aa8aa41151c",
        "b5b43a001bcf1da54dee4baf588444671d58e5294500c408a804fdde3b84ca1d",
        "fb306f0a1d1b7cb4c0928fe82a993fbcfc9bd4bbbe0ee1eb958d15450fb323fa",
        "9ac170bd7af0e3582680693b34463780573df87f53a5f4eef07c946e487525b0",
        "331a70e5c6c981b14e9ebed77da5df2dc40a4ffe2cfbc70ff91f12de1b2cd279",
        "b03e62660d00de16de51e9ea77031a55e8d60cc437c7dae22ced2cf947fcb7b8",
        "2a577262b1159d1c44b326e5ee157630dd90f323349a5f0a7b50ae989f207728",
        "d68573d635cb2ebdbd2799e943e15b588c9a177e068487b300bad30e7556c5d8",
        "11420769019c96af7a7bfaec5f34a088affd46f49fbe7dd5f05938a429274184",
        "9b79c09b095a4cb80e2873020ba9d5f76452cae1554f2eb702a1d97f1d8cf089",
        "ddc91f274697bf31a1c4295c231c471e2e2bd4377580fe260d70c40928cc1923",
        "72b6d29137613a1b5a49f119f9ed77f66ad4365f9d7f9c67122cf9c6dbc61a03",
        "61b5f9b59f3edee93dfaafcad03aa8ab6ff41b0d35e02febe93524828a5b3605",
        # Those of the mnemonic that every development chain uses unless told otherwise.
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    }
)
"""64 hex digits each, in lower case."""
