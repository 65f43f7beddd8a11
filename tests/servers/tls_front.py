"""Takes TLS connections on the loopback and hands what they say to a Unix socket.

The wheel's Redis was built without TLS; this stands where its own would.
"""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path


class TlsFront:
    """Listens until it is closed.

    Args:
        behind: The socket of the server behind it.
        context: Its certificate, and whom it lets in.
    """

    def __init__(self, behind: Path, context: ssl.SSLContext) -> None:
        self._behind, self._context, self._open = behind, context, list[socket.socket]()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        self._listening.shutdown(socket.SHUT_RDWR)
        for each in (self._listening, *self._open):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                taken = self._context.wrap_socket(plain, server_side=True)
            except OSError:  # a client that refuses the certificate, or is refused
                plain.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._behind))
            self._open += [taken, server]
            for one, other in ((taken, server), (server, taken)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while said := one.recv(65_536):
            other.sendall(said)
    except OSError:
        pass
    finally:
        for each in (one, other):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
