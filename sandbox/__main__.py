"""Serves the sandbox alone on 127.0.0.1 and prints one line of JSON when ready; refuses to listen to other machines.

python -m sandbox --port 8081 --token 123:abc [--no-limits] [--ledger FILE] [--smtp-port 2525]
"""

import argparse
import asyncio
import socket
import sys
from pathlib import Path

import orjson
import uvicorn

from sandbox.mail import MailSandbox
from sandbox.pages import sandbox_app
from sandbox.telegram import TelegramSandbox


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0, help="0 = any free one (the ready line says which)")
    parser.add_argument("--token", default="123456:sandbox")
    parser.add_argument("--no-limits", action="store_true", help="never answer 429")
    parser.add_argument("--ledger", type=Path, help="append every entry to this file as a line of JSON")
    parser.add_argument("--smtp-port", type=int, help="also take mail by SMTP; 0 = any free port")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    telegram = TelegramSandbox(options.token, limits=not options.no_limits, ledger_path=options.ledger)
    mail = MailSandbox(port=options.smtp_port) if options.smtp_port is not None else None
    if mail is not None:
        await mail.start()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", options.port))
        config = uvicorn.Config(
            sandbox_app(telegram, mail), log_level="warning", access_log=False, lifespan="off",
            timeout_graceful_shutdown=1, backlog=2048,
        )  # fmt: skip
        server = Server(config, listening.getsockname()[1], mail)
        await server.serve([listening])
    telegram.close()
    if mail is not None:
        await mail.stop()


class Server(uvicorn.Server):
    """Says that it is ready once it is."""

    def __init__(self, config: uvicorn.Config, port: int, mail: MailSandbox | None) -> None:
        super().__init__(config)
        self.port, self.mail = port, mail

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        url = f"http://127.0.0.1:{self.port}"
        ready = {"ready": True, "url": url, "api_url": f"{url}/bot", "port": self.port}
        ready["smtp_port"] = self.mail.port if self.mail else None
        sys.stdout.write(orjson.dumps(ready).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
