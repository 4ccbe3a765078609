"""What clients speak with a gateway, and which port expects what."""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass

from .certificates import shelf

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

#: How a port of a gateway under test is spoken with; in clear and in HTTP/1.1 where it is not named.
spoken: dict[int, ClientProtocol] = {}


def client_context(alpn: str | None) -> ssl.SSLContext:
    """Believes the authority of the run and nobody else."""
    context = ssl.create_default_context(cafile=str(shelf().authority.path))
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def dial(
    port: int, protocol: ClientProtocol, source: str | None = None, receive_buffer: int | None = None
) -> socket.socket:
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
    secure = client_context(alpn).wrap_socket(sock, server_hostname="localhost")
    assert secure.selected_alpn_protocol() == alpn
    return secure


def send_reset(sock: socket.socket) -> None:
    """Closes with RST, as a client that crashed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
