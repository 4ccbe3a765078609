"""What every scripted upstream has: a listener, what it received, and a way to wait for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

IO_SECONDS = 20


class Server:
    """Listens on a free port (or the one given) of 127.0.0.1 until `stop`; each connection has a thread of its own."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Any] = []
        self.connections: list[Any] = []
        self.faults: list[str] = []
        self.condition = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(IO_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(self.open(sock),), daemon=True).start()

    def open(self, sock: socket.socket) -> Any:
        """Makes the connection, in the order in which they came."""
        raise NotImplementedError

    def serve(self, connection: Any) -> None:
        raise NotImplementedError

    def note(self, request: Any) -> None:
        with self.condition:
            self.requests.append(request)
            self.condition.notify_all()

    def changed(self) -> None:
        with self.condition:
            self.condition.notify_all()

    def wait_for(self, true: Callable[[], object], timeout: float = 5) -> None:
        with self.condition:
            assert self.condition.wait_for(true, timeout), "the upstream did not see it in time"

    def stop(self) -> None:
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in list(self.connections):
            connection.close()


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, for policies that have to name them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [it.getsockname()[1] for it in sockets]
    for it in sockets:
        it.close()
    return ports
