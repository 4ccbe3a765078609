"""Programs that nobody here wrote, on both sides."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
import requests
from harness.client import ask
from harness.gateway import REPOSITORY, Gateway
from harness.policy import api_key, keyed_policy, policy
from harness.server import WebServer
from harness.upstream import Upstream, answering, ok
from harness.waiting import until

Start = Callable[..., Gateway]
Origin = Callable[..., Upstream]


@pytest.fixture
def keyed(gateway: Start, upstream: Origin) -> tuple[Gateway, Upstream, str]:
    """A keyed gateway before an upstream that answers with what it was sent."""
    origin = upstream(answering(lambda message: ok(f"{message.method} {message.target} ".encode() + message.body)))
    secret, record = api_key()
    return gateway(keyed_policy(origin.port, records=[record])), origin, secret


def curl(*arguments: str, given: bytes | None = None) -> bytes:
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", *arguments], input=given, capture_output=True, check=True
    ).stdout


def test_curl(keyed) -> None:
    running, _, secret = keyed
    key = f"X-API-Key: {secret}"
    assert curl("-o", "/dev/null", "-w", "%{http_code}", running.url) == b"401"
    assert curl("-H", key, running.url + "/a?b=c") == b"GET /a?b=c "
    assert curl("-H", key, "-X", "DELETE", running.url + "/x") == b"DELETE /x "
    assert curl("-H", key, "-d", "form=1", running.url + "/x") == b"POST /x form=1"
    big = b"x" * 3_000_000
    # curl asks for 100-continue here by itself.
    assert curl("-H", key, "--data-binary", "@-", running.url + "/big", given=big) == b"POST /big " + big
    assert curl("-H", key, "-T", "-", running.url + "/put", given=big) == b"PUT /put " + big
    assert curl("-H", key, "-I", running.url).startswith(b"HTTP/1.1 200 OK")
    assert curl("-H", key, "--http1.0", running.url + "/old") == b"GET /old "
    many = curl("-H", key, *[f"{running.url}/{number}" for number in range(5)], "-w", "%{num_connects} ")
    assert many.count(b"1 ") >= 1 and many.count(b"0 ") >= 4


def test_requests(keyed) -> None:
    running, _, secret = keyed
    with requests.Session() as session:
        assert session.get(running.url).status_code == 401
        session.headers["X-API-Key"] = secret
        assert session.get(running.url + "/a", params={"b": "c d"}).text == "GET /a?b=c+d "
        assert session.post(running.url, json={"a": 1}).text == 'POST / {"a": 1}'
        assert session.post(running.url, data=iter([b"one", b"two"])).text == "POST / onetwo"
        assert session.head(running.url).status_code == 200
        problem = session.get(running.url, headers={"X-API-Key": "rbtk_no"})
        assert problem.json()["status"] == 401


def test_httpx(keyed) -> None:
    running, _, secret = keyed
    with httpx.Client(base_url=running.url, headers={"X-API-Key": secret}) as client:
        assert client.get("/a").text == "GET /a "
        assert client.post("/x", content=b"y" * 100_000).text == "POST /x " + "y" * 100_000
        with client.stream("GET", "/s") as answer:
            assert b"".join(answer.iter_bytes()) == b"GET /s "


NODE = """
const [url, key] = process.argv.slice(1);
const get = async (path, options = {}) => {
    const answer = await fetch(url + path, {...options, headers: {"X-API-Key": key}});
    return answer.status + " " + await answer.text();
};
const all = await Promise.all(Array.from({length: 20}, (_, i) => get("/" + i)));
if (!all.every((text, i) => text === `200 GET /${i} `)) throw new Error(all.join());
const posted = await get("/p", {method: "POST", body: "z".repeat(100000)});
if (posted !== "200 POST /p " + "z".repeat(100000)) throw new Error(posted.slice(0, 100));
const refused = await fetch(url);
if (refused.status !== 401 || !refused.headers.get("www-authenticate")) throw new Error(refused.status);
console.log("fine");
"""


def test_node_fetch(keyed) -> None:
    running, _, secret = keyed
    done = subprocess.run(
        ["node", "--input-type=module", "-e", NODE, running.url, secret], capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "fine\n", done.stderr


def test_hey(keyed) -> None:
    running, origin, secret = keyed
    done = subprocess.run(
        ["hey", "-n", "500", "-c", "20", "-H", f"X-API-Key: {secret}", running.url + "/h"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "[200]\t500 responses" in done.stdout, done.stdout
    assert len(origin.requests) == 500


@pytest.fixture
def old_server(tmp_path: Path) -> Iterator[int]:
    """Python's http.server as it comes: HTTP/1.0, a connection per request."""
    (tmp_path / "page.txt").write_text("a page")

    class Old(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(dict(self.headers)).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(201)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = WebServer(Old)
    yield server.port
    server.stop()


def test_http_server_of_python(gateway: Start, old_server: int) -> None:
    running = gateway(policy(old_server))
    with requests.Session() as session:
        for _ in range(5):
            seen = session.get(running.url).json()
            assert seen["X-Forwarded-For"] == "127.0.0.1"
        assert session.post(running.url, data=b"x" * 50_000).content == b"x" * 50_000


def test_http_server_module_as_a_program(gateway: Start, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("a page " * 10_000)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = int(process.stdout.readline().split(" port ")[1].split()[0])
        running = gateway(policy(port))
        assert ask(running.port, "/page.txt").body == b"a page " * 10_000
        assert ask(running.port, "/page.txt", method="HEAD").value("content-length") == "70000"
        assert ask(running.port, "/none").status == 404
    finally:
        process.kill()
        process.wait()


FLASK = """
import sys
from flask import Flask, request, Response
app = Flask("upstream")

@app.get("/who")
def who():
    return {"subject": request.headers.get("X-Auth-Subject"),
            "address": request.headers["X-Forwarded-For"], "key": request.headers.get("X-API-Key")}

@app.post("/count")
def count():
    return {"bytes": len(request.get_data())}

@app.get("/stream")
def stream():
    return Response((b"x" * 1000 for _ in range(100)), mimetype="text/plain")

from werkzeug.serving import make_server, WSGIRequestHandler
WSGIRequestHandler.protocol_version = sys.argv[1]
WSGIRequestHandler.log = lambda *_: None
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_flask(gateway: Start, version: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FLASK, version], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        port = int(process.stdout.readline())
        secret, record = api_key()
        running = gateway(keyed_policy(port, records=[record]))
        with requests.Session() as session:
            session.headers.update({"X-API-Key": secret, "X_Auth_Subject": "root", "X-Auth-Scopes": "root"})
            for _ in range(3):
                seen = session.get(running.url + "/who").json()
                assert seen["subject"] == "ci@acme" and seen["address"] == "127.0.0.1" and seen["key"] is None
            assert session.post(running.url + "/count", data=b"x" * 300_000).json() == {"bytes": 300_000}
            assert session.get(running.url + "/stream").content == b"x" * 100_000
    finally:
        process.kill()
        process.wait()


NGINX = """
{user}
worker_processes 1; daemon off; error_log stderr error; pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen unix:{folder}/probe.sock; listen 127.0.0.1:{port}; root {folder}/www;
    location /who {{ default_type text/plain;
      return 200 "$http_x_auth_subject|$http_x_api_key|$http_host|$server_protocol"; }}
    location /files {{ alias {folder}/www; gzip on; gzip_min_length 10; gzip_types text/plain; }}
  }}
}}
"""


#: Started by root, nginx would serve as nobody, who may not look into the folder of a test.
NGINX_USER = "user root;" if os.getuid() == 0 else ""


def test_nginx(gateway: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "www").mkdir()
    content = b"line of text\n" * 100_000
    (tmp_path / "www" / "big.txt").write_bytes(content)
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, user=NGINX_USER))
    process = subprocess.Popen(["nginx", "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        until((tmp_path / "probe.sock").exists, what="nginx")
        secret, record = api_key()
        running = gateway(keyed_policy(port, records=[record]))
        with requests.Session() as session:
            session.headers["X-API-Key"] = secret
            assert session.get(running.url + "/who").text == f"ci@acme||127.0.0.1:{running.port}|HTTP/1.1"
            assert session.get(running.url + "/files/big.txt").content == content  # gzip, chunked
            plain = session.get(
                running.url + "/files/big.txt", headers={"Accept-Encoding": "identity", "Range": "bytes=0-99"}
            )
            assert plain.status_code == 206 and plain.content == content[:100]
            etag = session.get(running.url + "/big.txt").headers["ETag"]
            assert session.get(running.url + "/big.txt", headers={"If-None-Match": etag}).status_code == 304
            assert session.head(running.url + "/big.txt").headers["Content-Length"] == str(len(content))
            assert session.get(running.url + "/none").status_code == 404
    finally:
        process.terminate()
        process.wait()


def test_the_demo_upstream(gateway: Start) -> None:
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "scripts" / "demo-upstream"), "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        running = gateway(policy(port))
        seen = requests.get(running.url + "/a?b").json()
        assert seen["method"] == "GET" and seen["path"] == "/a?b" and seen["headers"]["X-Forwarded-For"] == "127.0.0.1"
        assert requests.post(running.url, data=iter([b"abc", b"de"])).json()["body_bytes"] == 5
        assert requests.post(running.url, data=b"abc").json()["body_bytes"] == 3
    finally:
        process.kill()
        process.wait()
