"""Hands each post to the next of several servers, as a proxy before them does. Keeps nothing, answers nothing itself.

A server that cannot be reached is passed over; one that dies while it has a post makes a 502 of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread

PASSED_ON = ("content-type", "x-telegram-bot-api-secret-token")
PATIENCE = 60.0  # seconds


@contextmanager
def balanced(ports: Sequence[int]) -> Iterator[str]:
    """The address of the whole, for as long as it is needed."""
    turn = count()

    class Post(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, retry_after = self._pass_on(body)
            self.send_response(status)
            if retry_after:
                self.send_header("retry-after", retry_after)
            self.send_header("content-length", "0")
            self.end_headers()

        def _pass_on(self, body: bytes) -> tuple[int, str | None]:
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            first = next(turn)
            for port in [ports[(first + more) % len(ports)] for more in range(len(ports))]:
                server = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                try:
                    server.connect()
                except ConnectionRefusedError:
                    continue
                try:
                    server.request("POST", self.path, body, headers)
                    answer = server.getresponse()
                    return answer.status, answer.headers["retry-after"]
                except (OSError, HTTPException):
                    return 502, None
                finally:
                    server.close()
            return 502, None

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Post) as server:
        server.daemon_threads = True
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()
