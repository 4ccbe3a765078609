"""TLS beside its socket, for what the standard library's TLS sockets cannot do: end one direction alone, and be read by one thread
while another writes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading


class SecureSocket:
    """As much of a socket as clients need. One thread may read while another writes."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_hostname: str | None = None) -> None:
        """A client's end where `server_hostname` says whom it expects, else a server's."""
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ahead = b""
        #: Held while TLS works, never while the socket waits: OpenSSL does not allow two threads in one session.
        self.lock = threading.Lock()
        #: Held by the thread that writes to the socket, so that records leave in their order.
        self.sending = threading.Lock()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=not server_hostname, server_hostname=server_hostname)
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()

    def fill(self) -> None:
        piece = self.sock.recv(65_536)
        with self.lock:
            if piece:
                self.incoming.write(piece)
            else:
                self.incoming.write_eof()

    def flush(self) -> None:
        with self.sending:
            with self.lock:
                piece = self.outgoing.read()
            if piece:
                self.sock.sendall(piece)

    def selected_alpn_protocol(self) -> str | None:
        return self.tls.selected_alpn_protocol()

    def recv(self, count: int) -> bytes:
        if self.ahead:
            piece, self.ahead = self.ahead[:count], self.ahead[count:]
            return piece
        while True:
            try:
                with self.lock:
                    return self.tls.read(count)
            except ssl.SSLWantReadError:
                self.fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def take(self, piece: bytes) -> bytes:
        """What the bytes decrypt to that the caller read from the socket; empty when that is nothing yet."""
        plain = b""
        with self.lock, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            self.incoming.write(piece)
            while more := self.tls.read(65_536):
                plain += more
        return plain

    def sendall(self, piece: bytes) -> None:
        with self.lock:
            self.tls.write(piece)
        self.flush()

    def end_sending(self) -> None:
        """close_notify, then FIN."""
        # It fails while there is something that came and was not read.
        with self.lock, contextlib.suppress(ssl.SSLWantReadError):
            while piece := self.tls.read(65_536):
                self.ahead += piece
        with self.lock, contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()
        self.sock.shutdown(socket.SHUT_WR)

    def settimeout(self, seconds: float | None) -> None:
        self.sock.settimeout(seconds)

    def setsockopt(self, *option: int | bytes) -> None:
        self.sock.setsockopt(*option)

    def close(self) -> None:
        self.sock.close()
