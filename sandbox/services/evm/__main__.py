"""`python -m sandbox.services.evm`: run the chains until told to stop."""

import argparse
import logging
from pathlib import Path

from aiohttp import web

from sandbox.evm_accounts import MNEMONIC
from sandbox.ports import free_port
from sandbox.services.evm.anvil import Anvil
from sandbox.services.evm.chain import Chain
from sandbox.services.evm.server import application


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    arguments = _arguments()
    arguments.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    chains = {
        chain_id: Chain(
            Anvil(
                chain_id=chain_id,
                port=free_port(),
                state=arguments.state / f"{chain_id}.json",
                mnemonic=MNEMONIC,
            ),
            block_ms=arguments.block_ms,
        )
        for chain_id in arguments.chains
    }
    app = application(chains)
    web.run_app(app, host=arguments.host, port=arguments.port, print=None, access_log=None)


def _chain_ids(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.services.evm")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chains", type=_chain_ids, required=True, help="ids, with commas")
    parser.add_argument("--block-ms", type=int, default=1000, help="0: a block per transaction")
    parser.add_argument("--state", type=Path, required=True, help="folder the chains live in")
    return parser.parse_args()


if __name__ == "__main__":
    main()
