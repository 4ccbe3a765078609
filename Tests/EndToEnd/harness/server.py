"""What every scripted upstream has: a listener, what it received, a way to wait for it, and an end in which no script is cut
off unawares."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

IO_SECONDS = 20
#: How long all threads of one server may take to end once their connections are cut.
STOP_SECONDS = 5
#: Below the ports that the kernel gives to outgoing connections, so that no connection takes one between its choice and its use.
PORT_RANGE = range(10_240, 32_000)


def cut(sock: socket.socket) -> None:
    """Ends both directions of the TCP connection from any thread. A script that reads or writes sees the end by itself.

    Not `sock.shutdown`: an SSLSocket forgets its TLS state there, and a thread that still reads gets TLS records as if they
    were what the peer sent. Not `sock.close`: another connection could get the descriptor while a thread still reads from it.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def join(threads: Iterable[threading.Thread], seconds: float = STOP_SECONDS) -> None:
    """Waits until all have ended, or for `seconds` in all."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))


class Server:
    """Listens on a free port (or the one given) of 127.0.0.1 until `stop`; each connection has a thread of its own, which alone
    closes it."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Any] = []
        self.connections: list[Any] = []
        self.faults: list[str] = []
        self.condition = threading.Condition()
        #: True from the moment `stop` begins: the end that a script sees after it is not the gateway's.
        self.is_stopping = False
        self.served: list[tuple[threading.Thread, Any]] = []
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

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
            connection = self.open(sock)
            thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
            self.served.append((thread, connection))
            thread.start()

    def open(self, sock: socket.socket) -> Any:
        """Makes the connection, in the order in which they came. It has a method `cut`, which any thread may call."""
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
        """Takes no more connections, cuts those that are open and waits for their scripts to end. May be called again."""
        self.is_stopping = True
        cut(self.listener)
        join([self.accepting])
        self.listener.close()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            left = [(thread, connection) for thread, connection in self.served if thread.is_alive()]
            if not left:
                return
            # More than once: a socket that is being wrapped for TLS cannot be reached for a moment.
            for _, connection in left:
                connection.cut()
            join((thread for thread, _ in left), 0.1)


class WebServer(ThreadingHTTPServer):
    """The standard library's server on a free port, with TLS where there is a context. `stop` also ends kept connections."""

    daemon_threads = True

    def __init__(self, answer: type[BaseHTTPRequestHandler], tls: Any = None) -> None:
        self.open_sockets: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", 0), answer)
        self.port: int = self.server_address[1]
        if tls:
            # The handshake is left to the thread of the connection.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.accepting = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.accepting.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.open_sockets[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self.open_sockets.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Clients that leave are part of tests."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        left = dict(self.open_sockets)
        for sock in left:
            cut(sock)
        join(left.values())


def free_ports(count: int) -> list[int]:
    """Ports on which no socket listens, for policies that have to name them; held together so that they differ."""
    found: dict[int, socket.socket] = {}
    while len(found) < count:
        port = random.choice(PORT_RANGE)
        with contextlib.suppress(OSError):
            found[port] = socket.create_server(("127.0.0.1", port))
    for listener in found.values():
        listener.close()
    return list(found)
