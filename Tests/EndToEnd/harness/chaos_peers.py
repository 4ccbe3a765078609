"""What the peers of `chaos` send: requests, answers, key sets, tokens and values, most of them almost right."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import time
from random import Random
from typing import Any

from .chaos import any_frames, mutated
from .frames import SETTINGS, frame
from .issuer import base64url
from .websocket import KEY, switching

SECRET = bytes(range(64))
SIGN_IN = '{"email":"bob@example.com","password":"secretpw1"}'
WEBSOCKET = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"

#: Requests that use as much of the policy as there is.
REQUESTS = [
    b"GET /k/a/b/c?k=k&r=z%20 HTTP/1.1\r\nHost: a\r\nCookie: s=\"k\"; b=c\r\nX-Forwarded-For: 1.2.3.4, [::1]:80, unknown\r\n"
    b"Forwarded: for=\"[2001:db8::1]:4711\";proto=https;host=\"a,b\", for=_x\r\nAccept: a/b;q=0, */*\r\nX-Realm: a\r\n"
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\nConnection: close, X-Realm\r\n\r\n",
    b"POST /k/%41/%2f/..//x HTTP/1.1\r\nHost: [::1]:80\r\nX-API-Key: k\r\nAuthorization: Bearer x_y,rr\r\n"
    b"Content-Type: application/json; a=\"b\\\"\"\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: X\r\n"
    b"Expect: 100-continue\r\n\r\n"
    b"3;a=\"b\\\"c\";d\r\n{\"r\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\nTRACE http://a?x HTTP/1.1\r\nHost: b\r\nMax-Forwards: 999999999\r\n\r\n",
    f"GET /ws/x HTTP/1.1\r\nHost: a\r\n{WEBSOCKET}\r\n".encode() + b"\x88" + b"\xff" * 9,
    b"\r\n\r\nPUT /a;b=c/%E2%82%AC/./../%2e%2e HTTP/1.1\r\nHost: a.\r\nContent-Length: 18446744073709551615\r\n\r\nabc",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS),
]
#: Field blocks of requests of HTTP/2 (RFC 7541).
REQUEST_BLOCKS = [
    b"\x82\x84\x86\x41\x01a",
    b"\x83\x86\x41\x01a\x04\x06/k/a/b\x00\x06cookie\x03s=k\x00\x06cookie\x01b",
    b"\x02\x07CONNECT\x86\x41\x01a\x04\x05/ws/x\x00\x09:protocol\x09websocket",
    b"\x82\x84\x86\x41\x01a\x0f\x0d\x0218446744073709551615",
    b"\x82\x84\x86\x41\x01a\x00\x02te\x08trailers\x00\x04host\x01b",
]
PROXY_HEADERS = [
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    b"PROXY TCP6 ::1 ::2 65535 1\r\n",
    b"PROXY UNKNOWN x\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\0\1\0\2",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2e" + b"\1" * 36 + b"\x03\0\4abcd\xee\0\0",
    b"\r\n\r\n\0\r\nQUIT\n\x20\x00\xff\xff",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8" + b"/" * 216,
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 204 No\r\nA: b\r\n\r\n",
    b"HTTP/1.1 304\r\nContent-Length: 18446744073709551615\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc",
    b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n\x81\x7f" + b"\xff" * 8,
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX-RateLimit-Limit: 1\r\nServer: x\r\nConnection: close, x\r\n\r\nuntil close",
]
#: Field blocks of answers of HTTP/2.
ANSWER_BLOCKS = [
    b"\x88",
    b"\x88\x0f\x0d\x015",
    b"\x48\x03103",
    b"\x48\x03101",
    b"\x48\x03204",
    b"\x88\x00\x06x-a\x00b\x00",
    b"\x8d",
    b"\x88\x00\x0bgrpc-status\x010",
    b"\x88\x0f\x0d\x1418446744073709551616",
]
NUMBERS = [
    "0", "-0", "1e400", "-1e400", "1e308", "1e-400", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "1" + "0" * 5000, "0." + "0" * 5000 + "1", "1E+999999999999999999999", "9.2e9", "1.5e3", "4294967296",
    "0e99999999999", "9.223372036854775807e18", "9223372036.854775807", "-9223372037", "253402300800",
]  # fmt: skip
TEXTS = [
    '"a"', '""', r'"\u0000"', r'"\ud83d\ude00"', '"\u212a"', '"' + "e\u0301" * 500 + '"', '"' + "a" * 9000 + '"', '"1.2.3.4"', '"::/0"',
    '"0.0.0.0/0"', '"::ffff:1.2.3.4"', '"%zz"', '"{{"', '" "', '"a b c"', r'"\u007f"', r'"\u0085"', '"\U0010ffff"',
]  # fmt: skip


def value(draw: Random, depth: int = 0) -> str:
    """JSON of any kind."""
    kind = draw.random()
    if kind < 0.35:
        return draw.choice(NUMBERS)
    if kind < 0.65:
        return draw.choice(TEXTS)
    if kind < 0.75:
        return draw.choice(["null", "true", "false"])
    if depth > 3:
        return "[]"
    if kind < 0.88:
        return "[" + ",".join(value(draw, depth + 1) for _ in range(draw.randint(0, 5))) + "]"
    return object_of({f"{draw.choice('abcdefgh')}{number}": value(draw, depth + 1) for number in range(draw.randint(0, 5))})


def object_of(members: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"


def signed(payload: str, header: str = '{"alg":"HS256","typ":"JWT","kid":"k1"}') -> str:
    message = base64url(header.encode()) + "." + base64url(payload.encode("utf-8", "surrogatepass"))
    return message + "." + base64url(hmac.new(SECRET, message.encode(), hashlib.sha256).digest())


def short_token(draw: Random) -> str:
    """A good token, some of them for a second."""
    return signed(json.dumps({"aud": "a", "sub": "u", "exp": int(time.time()) + draw.choice([1, 2, 100])}))


def odd_token(draw: Random) -> str:
    """A token with a good signature and claims of any kind."""
    now = int(time.time())
    members = {"aud": '"a"', "sub": '"u"', "exp": str(now + 100)}
    names = ["iss", "sub", "s", "jti", "exp", "nbf", "iat", "scope", "scp", "ips", "x", "cred", "r", "l", "aud"]
    for name in draw.sample(names, draw.randint(0, 6)):
        members[name] = value(draw)
        if name in ("exp", "nbf", "iat") and draw.random() < 0.8:
            members[name] = draw.choice([*NUMBERS, str(now + 100), str(now - 10)])
        elif name == "cred":
            members[name] = object_of({"apiKey": value(draw), "refreshToken": value(draw), "expiresIn": draw.choice(NUMBERS)})
    payload = draw.choice([object_of(members)] * 18 + ["[" * draw.randint(1, 200), '{"a":' * 63 + "1" + "}" * 63])
    if draw.random() < 0.9:
        return signed(payload)
    return signed(payload, '{"alg":%s,"kid":%s}' % (draw.choice(['"HS256"', '"none"', "1"]), value(draw)))


def answer_or_not(draw: Random, sock: socket.socket) -> None:
    """An upstream of HTTP/1.1: answers, changes of protocol, mutated bytes, nothing."""
    request = sock.recv(65_536)
    if draw.random() < 0.2:
        return
    time.sleep(draw.choice([0, 0, 0.01, 0.05]))
    if draw.random() < 0.4:
        sock.sendall(mutated(draw, draw.choice(ANSWERS), draw.choice([0, 1, 3, 6])))
        return
    if b"pgrade: websocket" in request and draw.random() < 0.8:
        key = next((line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")), b"")
        head = switching(key.decode("latin-1"))
        sock.sendall(head + draw.choice([b"", b"\x81\x05hello", b"\x82\x7e\xff\xff" + b"x" * 3000]))
        for _ in range(draw.randint(0, 10)):
            sock.sendall(b"\x81\x05hello")
            time.sleep(draw.choice([0, 0.02]))
        return
    match draw.randrange(4):
        case 0:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"a" * draw.choice([0, 1000, 300_000]))
        case 1:
            end = draw.choice([b"0\r\nx: y\r\n\r\n", b"", b"ffff\r\n" + b"b" * 900])
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n5\r\nhello\r\n" + end)
        case 2:
            sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno")
        case _:
            while request:
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                request = sock.recv(65_536)


def frames_or_not(draw: Random, sock: socket.socket) -> None:
    """An upstream of HTTP/2 that sends frames of all kinds."""
    sock.recv(65_536)
    sock.sendall(frame(SETTINGS) + frame(SETTINGS, flags=1) + any_frames(draw, ANSWER_BLOCKS, 12))
    time.sleep(draw.choice([0, 0.01]))


def key_of(draw: Random) -> str:
    """A JWK of any kind, most of them wrong."""
    def any_bytes(*counts: int) -> str:
        return f'"{base64url(draw.randbytes(draw.choice(counts)))}"'

    kind = draw.choice(["RSA", "EC", "OKP", "oct", "x"])
    members = {"kty": f'"{kind}"', "kid": f'"{draw.randrange(5)}"'}
    match kind:
        case "RSA":
            members |= {"n": any_bytes(0, 1, 255, 256, 512, 2049), "e": draw.choice(['"AQAB"', '"Aw"', '""', '"AA"', any_bytes(300)])}
        case "EC":
            members |= {"crv": draw.choice(['"P-256"', '"P-384"', '"P-521"', '"secp256k1"']), "x": any_bytes(31, 32, 33, 48, 66)}
            members["y"] = any_bytes(32, 48, 66)
        case "OKP":
            members |= {"crv": '"Ed25519"', "x": any_bytes(0, 31, 32, 33)}
    for _ in range(draw.randint(0, 2)):
        name = draw.choice(["n", "e", "x", "y", "crv", "alg", "use", "key_ops", "d", "k", "kid", "kty", "x5c"])
        members[name] = draw.choice([value(draw), any_bytes(0, 1, 32, 257, 4096), '"P-256"', '"RS256"', '"ES256"', '["verify"]'])
    return object_of(members)


def key_sets_or_not(draw: Random, sock: socket.socket) -> None:
    """A server of key sets and discovery documents."""
    request = sock.recv(65_536)
    here = f"http://127.0.0.1:{sock.getsockname()[1]}"
    body = '{"keys":[' + ",".join(key_of(draw) for _ in range(draw.choice([0, 1, 3, 101]))) + "]}"
    if b"openid" in request:
        targets = [f"{here}/j", "http://[::1]:0/", "file:///etc/passwd", "http://x@y/", "http://127.0.0.1:99999/", f"{here}/a\\r\\nX: y"]
        body = object_of({"issuer": draw.choice([f'"{here}"', value(draw)]), "jwks_uri": f'"{draw.choice(targets)}"'})
    content = body.encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        content = mutated(draw, content, 5)
    length = b"Content-Length: %d\r\n" % len(content)
    framing = draw.choice([length, b"Content-Length: 99999999999999999999\r\n", b"", b"Transfer-Encoding: chunked\r\n"])
    if b"chunked" in framing:
        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    caching = [b"", b"Cache-Control: max-age=" + b"9" * 30 + b"\r\n", b'Age: 99999999999999999999\r\nCache-Control: "max-age=1", , =\r\n']
    head = b"HTTP/1.1 200 OK\r\n" + framing + draw.choice(caching) + b"\r\n"
    sock.sendall(mutated(draw, head, draw.choice([0, 0, 0, 2])) + content)


def unknown_token(draw: Random) -> str:
    """A token whose key has to be looked for, with a signature of any length."""
    head = {"alg": draw.choice(["RS256", "ES256", "EdDSA", "ES512", "PS256"]), "kid": str(draw.randrange(5))}
    payload: dict[str, Any] = {"iss": draw.choice(["https://idp", "https://idp2"]), "sub": "x", "exp": int(time.time()) + 99}
    message = ".".join(base64url(json.dumps(part).encode()) for part in (head, payload))
    return f"{message}.{base64url(draw.randbytes(draw.choice([1, 63, 64, 131, 132, 256])))}"
