"""`python -m sandbox.services.kms`: one key, until it is told to stop."""

import argparse
import json
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.services.kms.knobs import KmsKnobs
from sandbox.services.kms.signing import ensure_key, install, sign_digests

StartResponse = Callable[..., Any]
THROTTLED = "ThrottlingException"


class Front:
    """Stands before moto: health, knobs, and the troubles that they make."""

    def __init__(self, moto: Callable[..., Iterable[bytes]]) -> None:
        self._moto = moto
        self.knobs = KmsKnobs()

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
            case "GET", "/health":
                return _json(start, {"status": "ok"})
            case "GET", "/sandbox/knobs":
                return _json(start, self.knobs.to_json())
            case "POST", "/sandbox/knobs":
                return self._turn(environ, start)
        if self.knobs.down:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError("the service is down")
        if self.knobs.delay_ms:
            time.sleep(self.knobs.delay_ms / 1000)
        if code := self._refusal():
            body = {"__type": code, "message": "as the knobs have it"}
            return _json(start, body, "400 Bad Request", "application/x-amz-json-1.1")
        return self._moto(environ, start)

    def _refusal(self) -> str:
        """The error code to answer with; empty for none."""
        if self.knobs.throttle_next > 0:
            self.knobs = replace(self.knobs, throttle_next=self.knobs.throttle_next - 1)
            return THROTTLED
        return THROTTLED if self.knobs.throttles() else self.knobs.refuses

    def _turn(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            self.knobs = self.knobs.changed(json.loads(environ["wsgi.input"].read(length)))
        except ValueError as error:
            return _json(start, {"error": str(error)}, "400 Bad Request")
        return _json(start, self.knobs.to_json())


def _json(
    start: StartResponse, body: Any, status: str = "200 OK", kind: str = "application/json"
) -> list[bytes]:
    content = json.dumps(body).encode()
    start(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])
    return [content]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    # The head and the body of an answer are two writes, and would wait for each other.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not one line per signature."""

    def log_error(self, format: str, *args: Any) -> None:
        logging.getLogger("kms").info(format, *args)


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    arguments = _arguments()
    front = Front(create_backend_app("kms"))
    sign_digests(lambda: front.knobs.high_s)
    install(arguments.key_id, arguments.region, ensure_key(arguments.key_file))
    server = make_server("127.0.0.1", arguments.port, front, threaded=True, request_handler=_Quiet)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    server.serve_forever()


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.services.kms")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key-id", required=True)
    parser.add_argument("--key-file", type=Path, required=True, help="made if it is absent")
    parser.add_argument("--region", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
