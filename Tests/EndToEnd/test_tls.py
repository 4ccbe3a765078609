"""TLS with clients: what is spoken and what is not, which certificate, and what happens to those who do it wrong."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.certificates import Authority, Pair, shelf
from harness.client import RawClient, ask, reason, request
from harness.gateway import Gateway, run_portcullis
from harness.http2 import HTTP2Client
from harness.messages import Message, Stream, read_head, response_body
from harness.policy import Json, key_authenticator, open_route, policy
from harness.protocols import PROTOCOLS
from harness.upstream import Connection, Upstream
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]

pytestmark = pytest.mark.clients("h1-tls")


def tls_policy(port: int, tls: Json, **members: object) -> Json:
    return policy(port, listeners=[{"address": "127.0.0.1:0", "tls": tls}], **members)


def named(pair: Pair) -> Json:
    return {"certificate": f"file:{pair.certificate}", "key": f"file:{pair.key}"}


def connect(port: int, name: str | None = "localhost", pair: Pair | None = None, **limits: object) -> ssl.SSLSocket:
    """A connection that believes everybody, for looking at what is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for member, value in limits.items():
        setattr(context, member, value)
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    return context.wrap_socket(sock, server_hostname=name)


def shown(port: int, name: str | None = "localhost", **limits: object) -> bytes:
    with connect(port, name, **limits) as sock:
        return sock.getpeercert(binary_form=True)


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def answer_on(sock: ssl.SSLSocket, fields: tuple[str, ...] = (), target: str = "/") -> Message:
    sock.sendall(request(target=target, fields=fields))
    stream = Stream(sock)
    message = read_head(stream)
    assert message, "the connection closed before an answer"
    for piece in response_body(stream, message, "GET"):
        message.body += piece
    return message


def openssl(port: int, *options: str, given: str = "Q\n") -> tuple[int, str]:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *options],
        input=given,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.returncode, done.stdout + done.stderr


WEAK = {
    "TLS 1.0": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    "TLS 1.1": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "CBC with SHA-1": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0"],
    "CBC with SHA-2": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"],
    "no forward secrecy": ["-tls1_2", "-cipher", "kRSA:@SECLEVEL=0"],
    "no authentication": ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
    "no encryption": ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
    "finite field groups": ["-tls1_2", "-cipher", "kDHE:@SECLEVEL=0"],
    "a weak curve": ["-groups", "secp224r1"],
}


@pytest.mark.parametrize("options", WEAK.values(), ids=WEAK.keys())
def test_nothing_weak_is_spoken(gateway: Start, upstream: Origin, options: list[str]) -> None:
    running = gateway(policy(upstream().port))
    status, text = openssl(running.port, *options)
    assert status != 0 and ("Cipher is (NONE)" in text or "no peer certificate available" in text), text[-800:]
    assert ask(running.port).status == 200


def test_what_is_spoken(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with connect(running.port, maximum_version=version, minimum_version=version) as sock:
            assert sock.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]
            assert sock.compression() is None
            assert re.search("GCM|CHACHA20", sock.cipher()[0])
            assert answer_on(sock).status == 200
    text = openssl(running.port, "-tls1_2")[1]
    assert "Secure Renegotiation IS supported" in text and "Compression: NONE" in text
    text = openssl(running.port, "-tls1_3")[1]
    assert "Max Early Data: 0" in text or "Early data was not sent" in text


def test_sslscan_finds_nothing_weak(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    text = subprocess.run(
        ["sslscan", "--no-colour", f"127.0.0.1:{running.port}"], capture_output=True, text=True, timeout=30
    ).stdout
    states = dict(re.findall(r"^(SSLv[23]|TLSv1\.[0-3])\s+(enabled|disabled)$", text, re.MULTILINE))
    assert [name for name, state in states.items() if state == "enabled"] == ["TLSv1.2", "TLSv1.3"], text
    assert len(states) == 6
    ciphers = re.findall(r"^(?:Preferred|Accepted)\s+\S+\s+(\d+) bits\s+(\S+)", text, re.MULTILINE)
    assert len(ciphers) >= 4
    for bits, cipher in ciphers:
        assert int(bits) >= 128 and re.search("GCM|CHACHA20", cipher), cipher
        assert cipher.startswith(("TLS_", "ECDHE-")), cipher
    assert "Session renegotiation not supported" in text
    assert not re.search(r"^TLSv\S+ vulnerable", text, re.MULTILINE)


def test_renegotiation_is_refused(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    text = openssl(running.port, "-tls1_2", given="R\n")[1]
    assert "RENEGOTIATING" in text and "no renegotiation" in text.lower(), text[-600:]
    assert ask(running.port).status == 200


def test_a_minimum_version(gateway: Start, upstream: Origin) -> None:
    running = gateway(tls_policy(upstream().port, shelf().listener | {"minimum_version": "1.3"}))
    with pytest.raises(ssl.SSLError):
        connect(running.port, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert ask(running.port).status == 200


def test_sessions_are_resumed(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    context = ssl.create_default_context(cafile=str(shelf().authority.path))
    session = None
    for resumed in (False, True):
        sock = socket.create_connection(("127.0.0.1", running.port), timeout=10)
        with context.wrap_socket(sock, server_hostname="localhost", session=session) as secure:
            assert answer_on(secure).status == 200
            assert secure.session_reused is resumed
            session = secure.session


def test_certificates_are_chosen_by_name_and_kind(gateway: Start, upstream: Origin, authority: Authority) -> None:
    first, rsa = authority.issue("localhost"), authority.issue("localhost", kind="rsa")
    other, wide = authority.issue("other.test"), authority.issue("*.wide.test")
    tls = {"certificates": [named(first), named(rsa), named(other), named(wide)]}
    port = gateway(tls_policy(upstream().port, tls)).port
    assert shown(port, "other.test") == der(other)
    assert shown(port, "OTHER.test") == der(other)
    assert shown(port, "a.wide.test") == der(wide)
    for name in ("localhost", "stranger.test", "a.b.wide.test", None):
        assert shown(port, name) == der(first), name
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+aRSA+AESGCM")
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost") as sock:
        assert sock.getpeercert(binary_form=True) == der(rsa)


def test_alpn(gateway: Start, upstream: Origin) -> None:
    config = policy(upstream().port, listeners=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "protocols": ["h2"]}])
    running = gateway(config)
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)):
        context = ssl.create_default_context(cafile=str(shelf().authority.path))
        if offered:
            context.set_alpn_protocols(offered)
        with context.wrap_socket(socket.create_connection(("127.0.0.1", running.port), 10), server_hostname="localhost") as sock:
            assert sock.selected_alpn_protocol() == chosen
            assert chosen == "h2" or answer_on(sock).status == 200


def test_a_reload_tells_what_is_doubtful_about_it_once(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    authority.issue("localhost").put(tmp_path, "server")
    config = tls_policy(upstream().port, {"certificate": f"file:{tmp_path}/server.pem", "key": f"file:{tmp_path}/server.key"})
    running = gateway(config)
    assert "expired" not in "".join(running.lines)
    authority.issue("localhost", days=-1).put(tmp_path, "server")
    line = running.wait_for_line("expired at")
    assert "warning" in line and "warning:" not in line and "listeners[0].tls.certificate" in line
    running.wait_for_line("reloaded")
    before = len(running.lines)
    running.signal(signal.SIGHUP)
    running.wait_for_line("reloaded", after=before)
    assert not any("expired" in line for line in running.lines[before:])


def test_a_staple_from_a_file_is_sent_with_its_certificate(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    pair, response = authority.issue("localhost"), tmp_path / "response.der"
    response.write_bytes(authority.vouch(pair))
    port = upstream().port
    running = gateway(tls_policy(port, named(pair) | {"ocsp_response": f"file:{response}"}))
    believing = ["-status", "-CAfile", str(authority.path), "-verify_return_error"]
    shown_staple = openssl(running.port, *believing)[1]
    assert "OCSP Response Status: successful" in shown_staple and "Cert Status: good" in shown_staple
    assert "Verify return code: 0 (ok)" in shown_staple
    # One of another certificate is told of, and what is in force stays.
    response.write_bytes(authority.vouch(authority.issue("localhost")))
    running.wait_for_line(r"listeners\[0\]\.tls.*OCSP response is of no use")
    assert "Cert Status: good" in openssl(running.port, *believing)[1]


def test_sessions_outlive_a_reload_and_a_new_certificate(gateway: Start, upstream: Origin, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    authority.issue("localhost").put(tmp_path, "server")
    tls = {"certificate": f"file:{tmp_path}/server.pem", "key": f"file:{tmp_path}/server.key"}
    running = gateway(tls_policy(upstream().port, tls, loops=2))
    context = ssl.create_default_context(cafile=str(authority.path))

    def is_resumed(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
        sock = socket.create_connection(("127.0.0.1", running.port), 10)
        with context.wrap_socket(sock, server_hostname="localhost", session=session) as secure:
            assert answer_on(secure).status == 200
            return bool(secure.session_reused), secure.session

    first, session = is_resumed(None)
    assert not first and session
    authority.issue("localhost").put(tmp_path, "server")
    running.wait_for_line("reloaded")
    # On either loop.
    assert all(is_resumed(session)[0] for _ in range(8))


def test_plain_http_gets_an_answer_in_clear(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    running = gateway(policy(origin.port))
    with socket.create_connection(("127.0.0.1", running.port), 10) as sock:
        sock.sendall(request(fields=["X-API-Key: rbtk_secret"]))
        stream = Stream(sock)
        message = read_head(stream)
        assert message and message.status == 400
        message.body = b"".join(response_body(stream, message, "GET"))
        assert reason(message) == "plain_http_on_tls_port" and message.value("x-request-id")
        assert not stream.fill(), "the connection was kept"
    assert not origin.connections


def test_the_record_of_plain_http_tells_nothing_of_another_clients_request(gateway: Start, upstream: Origin) -> None:
    running = gateway(tls_policy(upstream().port, shelf().listener, loops=1))
    with connect(running.port) as sock:
        assert answer_on(sock, target="/of/another").status == 200
    with socket.create_connection(("127.0.0.1", running.port), 10) as sock:
        sock.sendall(request(target="/plain"))
        message = read_head(Stream(sock))
        assert message and message.status == 400
    record = next(record for record in running.access_records(2) if record["status"] == 400)
    assert record["reason"] == "plain_http_on_tls_port" and "another" not in str(record)


@pytest.mark.parametrize("start", [b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"a" * 200, b"\x80\x2e\x01\x03\x01", b"garbage\r\n"])
def test_garbage_ends_the_connection(gateway: Start, upstream: Origin, start: bytes) -> None:
    running = gateway(tls_policy(upstream().port, shelf().listener | {"handshake_timeout": "500ms"}))
    with socket.create_connection(("127.0.0.1", running.port), 5) as sock:
        sock.sendall(start)
        stream = Stream(sock)
        while stream.fill():
            pass
    assert ask(running.port).status == 200


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_a_handshake_that_stalls_is_ended(gateway: Start, upstream: Origin, sent: bytes) -> None:
    running = gateway(tls_policy(upstream().port, shelf().listener | {"handshake_timeout": "300ms"}))
    with socket.create_connection(("127.0.0.1", running.port), 5) as sock:
        sock.sendall(sent)
        stream = Stream(sock)
        while stream.fill():
            pass
    assert ask(running.port).status == 200


@pytest.mark.parametrize("head", ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_an_upload_cut_without_close_notify_is_not_whole(gateway: Start, upstream: Origin, head: str) -> None:
    over = threading.Event()

    def script(connection: Connection) -> None:
        message = connection.read_head()
        try:
            connection.read_body(message)
        finally:
            over.set()

    origin = upstream(script)
    running = gateway(policy(origin.port))
    client = RawClient(running.port, half_closes=False)
    client.send(f"POST / HTTP/1.1\r\nHost: gw.test\r\n{head}\r\n5\r\nhello\r\n")
    until(lambda: b"hello" in origin.raw, what="the first bytes")
    # Only the TCP connection ends; TLS says nothing.
    socket.socket(fileno=client.sock.detach()).close()
    assert over.wait(5)
    assert not origin.requests[0].complete
    assert running.access_records(1)[0]["reason"] == "client_left"


def test_replaced_files_are_followed(gateway: Start, upstream: Origin, authority: Authority, tmp_path: Path) -> None:
    old, new, stranger = (authority.issue("localhost") for _ in range(3))
    old.put(tmp_path, "live")
    tls = {"certificate": f"file:{tmp_path / 'live.pem'}", "key": f"file:{tmp_path / 'live.key'}"}
    running = gateway(tls_policy(upstream().port, tls))
    with connect(running.port) as kept:
        assert kept.getpeercert(binary_form=True) == der(old)
        new.put(tmp_path, "live")
        until(lambda: shown(running.port) == der(new), 2, "the new certificate")
        assert answer_on(kept).status == 200, "an old connection was ended"
    told = len(running.lines)
    (tmp_path / "live.pem").write_bytes(stranger.certificate.read_bytes())
    line = running.wait_for_line(r"live\.pem", after=told)
    assert "live.key" in line
    assert shown(running.port) == der(new), "a pair that does not fit was taken"
    assert len([line for line in running.lines[told:] if "live.pem" in line]) == 1


def test_check_names_what_is_wrong_with_files(authority: Authority, tmp_path: Path) -> None:
    good, other, old = authority.issue("localhost"), authority.issue("localhost"), authority.issue("localhost", days=-1)
    locked = authority.issue("localhost", passphrase=b"right")
    noise = tmp_path / "noise.pem"
    noise.write_text("no certificate\n")
    missing = Pair(tmp_path / "missing.pem", good.key)
    cases: list[tuple[Json, int, str]] = [
        (named(good), 0, ""),
        (named(missing), 1, r"missing\.pem"),
        (named(Pair(noise, good.key)), 1, r"noise\.pem"),
        (named(Pair(good.certificate, noise)), 1, r"noise\.pem"),
        (named(Pair(good.certificate, other.key)), 1, f"{re.escape(str(other.key))}.*does not belong"),
        (named(locked), 1, f"{re.escape(str(locked.key))}.*passphrase"),
        (named(locked) | {"passphrase": "env:WRONG"}, 1, f"{re.escape(str(locked.key))}.*passphrase"),
        (named(locked) | {"passphrase": "env:RIGHT"}, 0, ""),
        (named(old), 0, f"{re.escape(str(old.certificate))} expired"),
        (named(good) | {"client_ca": f"file:{noise}"}, 1, r"noise\.pem"),
    ]
    for tls, status, pattern in cases:
        (tmp_path / "gateway.json").write_text(json.dumps(tls_policy(9, tls)))
        secrets = {"WRONG": "wrong", "RIGHT": "right"}
        done = run_portcullis("check", "--config", "gateway.json", folder=tmp_path, environment=secrets)
        text = done.stdout + done.stderr
        assert done.returncode == status, (tls, text)
        assert re.search(pattern, text), (pattern, text)


CERTIFICATE_FIELDS = {
    "X-Client-CN": "{certificate.common_name}",
    "X-Client-URI": "{certificate.san_uri}",
    "X-Client-Print": "{certificate.fingerprint}",
}


def certified(port: int, asked: str, authority: Authority, **members: object) -> Json:
    tls = shelf().listener | {"client_ca": f"file:{authority.path}", "client_certificates": asked}
    routes = [
        open_route(authenticate=["certs"], request_headers={"set": CERTIFICATE_FIELDS}),
        open_route(name="free", match={"path": "/free"}),
        open_route(name="either", match={"path": "/either"}, authenticate=["certs", "keys"]),
    ]
    entries = [
        {"match": {"san_uri": "spiffe://acme/billing"}, "subject": "billing", "scopes": ["pay"]},
        {"match": {"common_name": "disabled"}, "enabled": False},
    ]
    authenticators = {"certs": {"type": "certificate", "certificates": entries}, "keys": key_authenticator()}
    return tls_policy(port, tls, authenticators=authenticators, routes=routes, **members)


@pytest.mark.parametrize("asked", ["require", "optional"])
def test_client_certificates(gateway: Start, upstream: Origin, authority: Authority, asked: str) -> None:
    origin = upstream()
    port = gateway(certified(origin.port, asked, authority)).port
    billing = authority.issue("client", "spiffe://acme/billing", organization="Acme")
    spoofs = ("X-Client-CN: root", "x_client_uri: root", "X-Auth-Subject: root", "X-Client-Print: root")
    with connect(port, pair=billing) as sock:
        assert answer_on(sock, spoofs).status == 200
    seen = origin.requests[0]
    assert seen.value("x-auth-subject") == "billing" and seen.value("x-auth-method") == "certificate"
    assert seen.value("x-auth-scopes") == "pay" and seen.value("x-auth-credential") == billing.fingerprint[:16]
    assert seen.value("x-client-cn") == "client" and seen.value("x-client-uri") == "spiffe://acme/billing"
    assert seen.value("x-client-print").replace(":", "").lower() == billing.fingerprint and b"root" not in seen.head
    for pair in (authority.issue("stranger"), authority.issue("disabled")):
        with connect(port, pair=pair) as sock:
            answer = answer_on(sock)
            assert answer.status == 401 and reason(answer) in ("credential_unknown", "key_disabled")
    assert len(origin.requests) == 1


@pytest.mark.parametrize("asked", ["require", "optional"])
def test_client_certificates_that_are_none(gateway: Start, upstream: Origin, authority: Authority, asked: str, tmp_path) -> None:
    origin = upstream()
    running = gateway(certified(origin.port, asked, authority))
    impostor = Authority(tmp_path / "impostor", "Test authority")
    for pair in (impostor.issue("client", "spiffe://acme/billing"), authority.issue("client", days=-1)):
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            with connect(running.port, pair=pair) as sock:
                answer_on(sock)
    if asked == "require":
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            with connect(running.port) as sock:
                answer_on(sock)
    else:
        with connect(running.port) as sock:
            assert reason(answer_on(sock)) == "credential_missing"
        with connect(running.port) as sock:
            assert answer_on(sock, target="/free").status == 200
    assert all(seen.target == "/free" for seen in origin.requests)


def test_tls_behind_a_proxy_header(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    listener = {"address": "127.0.0.1:0", "proxy_protocol": {"from": ["127.0.0.0/8"]}}
    running = gateway(policy(origin.port, listeners=[listener]))
    sock = socket.create_connection(("127.0.0.1", running.port), 10)
    sock.sendall(b"PROXY TCP4 9.9.9.9 10.0.0.1 1234 443\r\n")
    context = ssl.create_default_context(cafile=str(shelf().authority.path))
    with context.wrap_socket(sock, server_hostname="localhost") as secure:
        assert answer_on(secure).status == 200
    assert origin.requests[0].value("x-forwarded-for") == "9.9.9.9"


@pytest.mark.clients("h1", "h2")
def test_redirect_to_https(gateway: Start, upstream: Origin) -> None:
    origin = upstream()
    for told, place in ((True, "gw.test"), (8443, "gw.test:8443"), ("safe.test", "safe.test")):
        running = gateway(policy(origin.port, listeners=[{"address": "127.0.0.1:0", "redirect_to_https": told}]))
        answer = ask(running.port, "/a?b=c", method="POST", body=b"x")
        assert answer.status == 308 and answer.value("location") == f"https://{place}/a?b=c"
    assert not origin.connections


def test_many_streams_over_tls(gateway: Start, upstream: Origin) -> None:
    running = gateway(policy(upstream().port))
    with HTTP2Client(running.port, PROTOCOLS["h2-tls"]) as client:
        calls = [client.open(target=f"/{number}") for number in range(100)]
        assert [call.response().status for call in calls] == [200] * 100
