"""What clients speak with a gateway, and which port expects what."""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass

from .certificates import shelf
from .secure_socket import SecureSocket

IO_SECONDS = 10


@dataclass(frozen=True)
class ClientProtocol:
    is_http2: bool
    is_tls: bool

    @property
    def name(self) -> str:
        return ("h2" if self.is_http2 else "h1") + ("-tls" if self.is_tls else "")


HTTP1 = ClientProtocol(is_http2=False, is_tls=False)
PROTOCOLS = {
    protocol.name: protocol
    for protocol in (HTTP1, ClientProtocol(False, True), ClientProtocol(True, False), ClientProtocol(True, True))
}
ALL = tuple(PROTOCOLS)
#: Where bytes of HTTP/1.1 are written by hand.
HTTP1_ONLY = ("h1", "h1-tls")


@dataclass(frozen=True)
class UpstreamProtocol:
    """What a gateway speaks with an upstream, named by the scheme of its URL."""

    name: str

    @property
    def is_http2(self) -> bool:
        return self.name.startswith("h2")

    @property
    def is_tls(self) -> bool:
        return self.name in ("https", "h2")

    def server_context(self) -> ssl.SSLContext | None:
        return shelf().server.server_context(["h2" if self.is_http2 else "http/1.1"]) if self.is_tls else None


UPSTREAMS = {name: UpstreamProtocol(name) for name in ("http", "https", "h2c", "h2")}
#: How a port of an upstream is to be spoken with, where a policy says http.
offered: dict[int, UpstreamProtocol] = {}

#: How a port of a gateway under test is spoken with; in clear and in HTTP/1.1 where it is not named.
spoken: dict[int, ClientProtocol] = {}
#: Ports of admin listeners, which want an address or a name of theirs in Host.
operators: set[int] = set()


def client_context(alpn: str | None) -> ssl.SSLContext:
    """Believes the authority of the run and nobody else."""
    context = ssl.create_default_context(cafile=str(shelf().authority.path))
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def dial(
    port: int,
    protocol: ClientProtocol,
    source: str | None = None,
    receive_buffer: int | None = None,
    half_closes: bool = False,
) -> socket.socket:
    """A connection; `half_closes` makes it one for `end_sending`."""
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source:
        sock.bind((source, 0))
    sock.settimeout(IO_SECONDS)
    sock.connect(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not protocol.is_tls:
        return sock
    alpn = "h2" if protocol.is_http2 else "http/1.1"
    if half_closes:
        secure = SecureSocket(sock, client_context(alpn), "localhost")
    else:
        secure = client_context(alpn).wrap_socket(sock, server_hostname="localhost")
    assert secure.selected_alpn_protocol() == alpn
    return secure


def end_sending(sock: socket.socket | SecureSocket) -> None:
    """Says, in TLS too, that nothing more comes; what is sent back can still be read."""
    if isinstance(sock, SecureSocket):
        sock.end_sending()
    else:
        assert not isinstance(sock, ssl.SSLSocket), "dial it with half_closes"
        sock.shutdown(socket.SHUT_WR)


def send_reset(sock: socket.socket) -> None:
    """Closes with RST, as a client that crashed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
