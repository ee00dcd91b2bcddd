"""`python -m sandbox.services.kuro`: the compliance service, until it is told to stop."""

import argparse
import logging
from pathlib import Path

from aiohttp import web

from sandbox.services.kuro.approvals import Approvals
from sandbox.services.kuro.server import Server


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(prog="python -m sandbox.services.kuro")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--approvals", type=Path, required=True, help="the file they are kept in")
    arguments = parser.parse_args()
    app = Server(Approvals(arguments.approvals)).application()
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
