"""`portcullis explain` and the listener a request comes in by: TLS, clear, redirects, client certificates."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.certificates import Authority, Pair, shelf
from harness.gateway import Gateway, run_portcullis
from harness.policy import Json, open_route, policy
from harness.server import free_ports
from harness.upstream import Upstream

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def asked(url: str, pair: Pair | None = None) -> tuple[int, str] | None:
    """Status and reason of the answer; None where no connection comes about."""
    context = ssl.create_default_context(cafile=str(shelf().authority.path))
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), NoRedirects()
    )
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as refusal:
        body = refusal.read()
        return refusal.code, json.loads(body)["reason"] if body else refusal.headers.get("location", "")
    except OSError:
        return None


def explain(folder: Path, *arguments: str) -> Json:
    done = run_portcullis("explain", "--json", *arguments, folder=folder)
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert (done.returncode == 0) == (told["outcome"] == "forwarded"), told["outcome"]
    return told


def listening(port: int, **members: object) -> Json:
    return {"address": f"127.0.0.1:{port}"} | members


@pytest.fixture
def many(gateway: Start, upstream: Origin, tmp_path: Path) -> tuple[Gateway, list[int], Authority]:
    """A gateway that listens in clear, redirecting, by TLS, and by TLS with certificates asked for and required."""
    authority = Authority(tmp_path / "clients")
    ports = free_ports(5)
    asking = shelf().listener | {"client_ca": f"file:{authority.path}"}
    config = policy(
        upstream().port,
        listeners=[
            listening(ports[0]),
            listening(ports[1], redirect_to_https=f"localhost:{ports[2]}"),
            listening(ports[2], tls=shelf().listener),
            listening(ports[3], tls=asking | {"client_certificates": "optional"}),
            listening(ports[4], tls=asking | {"client_certificates": "require"}),
        ],
        authenticators={"machines": {"type": "certificate", "subject_from": "common_name"}},
        routes=[
            open_route(),
            open_route(name="machines", match={"path": "/machines"}, authenticate=["machines"]),
            open_route(name="safe", match={"path": "/safe"}, https_only=True),
        ],
    )
    return gateway(config), ports, authority


def test_what_the_listener_says_is_what_it_does(many: tuple[Gateway, list[int], Authority]) -> None:
    running, ports, authority = many
    good, old = authority.issue("billing"), authority.issue("billing", days=-1)
    stranger = Authority(running.folder / "others", "Others").issue("billing")
    seen = set()
    for number, port in enumerate(ports):
        for scheme in ("http", "https"):
            for path in ("/", "/machines", "/safe"):
                for pair in (None, good, old, stranger) if scheme == "https" else (None,):
                    url = f"{scheme}://localhost:{port}{path}"
                    told = explain(running.folder, url, *(["--cert", str(pair.certificate)] if pair else []))
                    real = asked(url, pair)
                    case = (number, url, pair and pair.certificate, real, told["outcome"], told["status"], told["reason"])
                    assert told["outcome"] != "no_connection" if real else told["outcome"] == "no_connection", case
                    if real and real[0] != 200:
                        fields = dict(told["answer"]["fields"])
                        assert (told["status"], told["reason"] or fields.get("Location")) == real, case
                    assert (told["outcome"] == "forwarded") == (real is not None and real[0] == 200), case
                    assert not any("no listener" in remark for remark in told["remarks"]), case
                    seen.add((told["outcome"], told["reason"]))
    assert seen >= {
        ("forwarded", None), ("no_connection", None), ("answered", None), ("refused", "plain_http_on_tls_port"),
        ("refused", "credential_missing"), ("refused", "https_required"),
    }  # fmt: skip


def test_the_rule_of_a_listener_is_named(many: tuple[Gateway, list[int], Authority]) -> None:
    running, ports, authority = many
    expected = {
        f"http://localhost:{ports[1]}/": "listeners[1].redirect_to_https",
        f"http://localhost:{ports[2]}/": "listeners[2].tls",
        f"https://localhost:{ports[0]}/": "listeners[0]",
        f"https://localhost:{ports[4]}/": "listeners[4].tls.client_certificates",
    }
    for url, rule in expected.items():
        told = explain(running.folder, url)
        assert told["rule"]["path"] == rule and told["steps"][0]["step"] == "listener", told["rule"]
    told = explain(running.folder, f"https://localhost:{ports[4]}/machines", "--cert", str(authority.issue("billing").certificate))
    assert told["credential"] and dict(told["forwarded"]["fields"])["X-Auth-Subject"] == "billing"


def test_a_port_that_no_listener_has_is_judged_by_the_one_that_fits_best(many: tuple[Gateway, list[int], Authority]) -> None:
    running, ports, _ = many
    for url, address in {"http://api.test/": ports[0], "https://api.test/": ports[2], "http://localhost:9/": ports[0]}.items():
        told = explain(running.folder, url)
        assert told["outcome"] == "forwarded"
        assert any("no listener has the port" in it and f"127.0.0.1:{address}" in it for it in told["remarks"]), told["remarks"]
    config = json.loads(running.path.read_text())
    config["listeners"] = config["listeners"][:1]
    (running.folder / "clear.json").write_text(json.dumps(config))
    told = explain(running.folder, "https://api.test/safe", "--config", "clear.json")
    assert told["outcome"] == "forwarded" and any("none speaks TLS" in it for it in told["remarks"])


def test_the_certificate_of_a_curl_line_is_read_and_its_key_is_not(many: tuple[Gateway, list[int], Authority]) -> None:
    running, ports, authority = many
    pair = authority.issue("billing")
    both = running.folder / "both.pem"
    both.write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    for path in (pair.certificate, both):
        line = f"curl --cert {path}:password --key none.key https://localhost:{ports[3]}/machines"
        told = explain(running.folder, "--curl", line)
        assert told["outcome"] == "forwarded" and "PRIVATE" not in json.dumps(told)
    for path, said in (("none.pem", "none.pem"), (pair.key, "no certificate in it")):
        done = run_portcullis("explain", "--cert", str(path), f"https://localhost:{ports[3]}/", folder=running.folder)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    # The admin listener reads no files; the certificate itself may be sent.
    url = f"http://127.0.0.1:{running.admin_port}/explain"
    for document, outcome, remark in (
        ({"curl": f"curl -E {pair.certificate} https://localhost:{ports[4]}/"}, "no_connection", "files are not read here"),
        ({"url": f"https://localhost:{ports[4]}/", "certificate": pair.certificate.read_text()}, "forwarded", ""),
        ({"url": f"http://localhost:{ports[0]}/", "certificate": pair.certificate.read_text()}, "forwarded", "over https only"),
        ({"url": f"https://localhost:{ports[2]}/", "certificate": pair.certificate.read_text()}, "forwarded", "is asked for"),
    ):
        with urllib.request.urlopen(url, json.dumps(document).encode()) as answer:
            told = json.loads(answer.read())
        assert told["outcome"] == outcome and remark in " ".join(told["remarks"]), told


def test_tests_in_a_file_are_judged_by_the_listener_they_name(tmp_path: Path) -> None:
    clear, redirecting, secure, strict = 28081, 28080, 28443, 28444
    asking = shelf().listener | {"client_ca": f"file:{shelf().authority.path}", "client_certificates": "require"}
    config = policy(
        9,
        listeners=[
            listening(clear), listening(redirecting, redirect_to_https="localhost:28443"),
            listening(secure, tls=shelf().listener), listening(strict, tls=asking),
        ],
        tests=[
            {"name": "a", "request": f"GET http://a:{redirecting}/", "expect": {
                "status": 308, "response_headers": {"Location": "https://localhost:28443/"}}},
            {"name": "b", "request": f"GET http://a:{secure}/", "expect": {"status": 400, "reason": "plain_http_on_tls_port"}},
            {"name": "c", "request": f"GET https://a:{strict}/", "expect": {"allowed": False}},
            {"name": "d", "request": f"GET https://a:{strict}/", "certificate": {"common_name": "x"}, "expect": {"allowed": True}},
            {"name": "e", "request": f"GET https://a:{clear}/", "expect": {"allowed": False}},
            {"name": "f", "request": "GET /", "expect": {"allowed": True}},
            {"name": "g", "request": "GET https://public.example/", "expect": {"allowed": True}},
        ],
    )  # fmt: skip
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    done = run_portcullis("test", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    config["listeners"][1].pop("redirect_to_https")
    config["listeners"][3]["tls"]["client_certificates"] = "optional"
    (tmp_path / "gateway.json").write_text(json.dumps(config))
    done = run_portcullis("test", folder=tmp_path)
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED")] == ["a", "c"]
