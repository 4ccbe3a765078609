"""TLS beside its socket, for what the standard library's TLS sockets do not: end one direction alone, and be read and written by
two threads."""

from __future__ import annotations

import contextlib
import socket
import ssl


class SecureSocket:
    """As much of a socket as clients need."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_hostname: str | None = None) -> None:
        """A client's end where `server_hostname` says whom it expects, else a server's."""
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ahead = b""
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=not server_hostname, server_hostname=server_hostname)
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()

    def fill(self) -> None:
        if piece := self.sock.recv(65_536):
            self.incoming.write(piece)
        else:
            self.incoming.write_eof()

    def flush(self) -> None:
        if piece := self.outgoing.read():
            self.sock.sendall(piece)

    def selected_alpn_protocol(self) -> str | None:
        return self.tls.selected_alpn_protocol()

    def recv(self, count: int) -> bytes:
        if self.ahead:
            piece, self.ahead = self.ahead[:count], self.ahead[count:]
            return piece
        while True:
            try:
                return self.tls.read(count)
            except ssl.SSLWantReadError:
                self.fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def take(self, piece: bytes) -> bytes:
        """What the bytes come to that somebody else read from the socket; empty when that is nothing yet."""
        self.incoming.write(piece)
        plain = b""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while more := self.tls.read(65_536):
                plain += more
        return plain

    def sendall(self, piece: bytes) -> None:
        self.tls.write(piece)
        self.flush()

    def end_sending(self) -> None:
        """close_notify, then FIN."""
        # It would stumble over what came already and was not read.
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self.tls.read(65_536):
                self.ahead += piece
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()
        self.sock.shutdown(socket.SHUT_WR)

    def settimeout(self, seconds: float | None) -> None:
        self.sock.settimeout(seconds)

    def setsockopt(self, *option: int | bytes) -> None:
        self.sock.setsockopt(*option)

    def close(self) -> None:
        self.sock.close()
