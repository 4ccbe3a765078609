"""Keys, tokens and the configurations of upstream, peers and Portcullis for one run of the benchmark, in one folder."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example"
AUDIENCE = "api"
#: More than any limit of the run can be tripped by.
PLENTY = 1_000_000
API_KEYS = 1000
#: Who signs in.
EMAIL, PASSWORD = "ada@bench.example", "correct horse battery staple"
UPSTREAM_BODY = '{"hello":"from upstream 1"}'


@dataclass
class Ports:
    upstream: int
    floor: int
    nginx_plain: int
    nginx_key: int
    haproxy_plain: int
    haproxy_key: int
    haproxy_rs: int
    haproxy_es: int
    nginx_tls: int
    haproxy_tls: int
    envoy_plain: int
    envoy_key: int
    envoy_jwt: int
    envoy_tls: int
    portcullis_tls: int
    portcullis: int
    admin: int


@dataclass
class Fixtures:
    folder: Path
    ports: Ports
    api_key: str
    #: One token used all the time, by algorithm; files of many distinct ones.
    token: dict[str, str]
    token_files: dict[str, Path]


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def make(folder: Path, ports: Ports, token_count: int) -> Fixtures:
    rs = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    es = ec.generate_private_key(ec.SECP256R1())
    (folder / "rs.pem").write_bytes(public_pem(rs))
    (folder / "es.pem").write_bytes(public_pem(es))
    jwks = [
        json.loads(RSAAlgorithm.to_jwk(rs.public_key()))
        | {"kid": "rs", "alg": "RS256", "use": "sig", "key_ops": ["verify"]},
        json.loads(ECAlgorithm.to_jwk(es.public_key()))
        | {"kid": "es", "alg": "ES256", "use": "sig", "key_ops": ["verify"]},
    ]
    (folder / "jwks.json").write_text(json.dumps({"keys": jwks}))

    now = int(time.time())
    tokens: dict[str, str] = {}
    files: dict[str, Path] = {}
    for algorithm, key in (("RS256", rs), ("ES256", es)):

        def mint(subject: str) -> str:
            claims = {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": subject,
                "iat": now,
                "exp": now + 86_400,
                "scope": "read write",
                "jti": f"{algorithm}-{subject}",
            }
            return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": algorithm[:2].lower()})

        tokens[algorithm] = mint("user")
        files[algorithm] = folder / f"tokens.{algorithm}"
        files[algorithm].write_text("".join(mint(f"user-{number}") + "\n" for number in range(token_count)))

    api_keys = ["bench_" + secrets.token_hex(16) for _ in range(API_KEYS)]
    write_certificate(folder)
    fixtures = Fixtures(folder, ports, api_keys[0], tokens, files)
    write_upstream(fixtures)
    write_nginx(fixtures, api_keys)
    write_haproxy(fixtures, api_keys)
    write_envoy(fixtures, api_keys, jwks)
    write_portcullis(fixtures, api_keys)
    return fixtures


def write_certificate(folder: Path) -> None:
    """One P-256 certificate that vouches for itself, for all servers."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=90))
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "server.key").write_bytes(private)
    (folder / "server.pem").write_bytes(public)
    (folder / "server.both.pem").write_bytes(public + private)


def scratch(folder: Path, name: str) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{name}-{kind};" for kind in kinds)


NGINX_HEAD = """worker_processes 1; master_process off; daemon off; error_log stderr crit; pid {folder}/{name}.pid;
events {{ worker_connections 4000; }}
http {{
access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; {scratch}
"""


def write_upstream(fixtures: Fixtures) -> None:
    head = NGINX_HEAD.format(folder=fixtures.folder, name="upstream", scratch=scratch(fixtures.folder, "upstream"))
    (fixtures.folder / "upstream.conf").write_text(
        head + f"server {{ listen 127.0.0.1:{fixtures.ports.upstream} backlog=4096; default_type application/json;\n"
        f"location / {{ return 200 '{UPSTREAM_BODY}'; }} }}\n}}\n"
    )


def write_nginx(fixtures: Fixtures, api_keys: list[str]) -> None:
    ports = fixtures.ports
    head = NGINX_HEAD.format(folder=fixtures.folder, name="nginx", scratch=scratch(fixtures.folder, "nginx"))
    consumers = "\n".join(f'"{key}" consumer-{number};' for number, key in enumerate(api_keys))
    forward = (
        'proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;'
    )
    keyed = f"""location / {{
  if ($consumer = "") {{ return 401; }}
  limit_req zone=each burst={PLENTY} nodelay; add_header X-RateLimit-Limit {PLENTY};
  {forward} proxy_set_header X-Auth-Subject $consumer; proxy_set_header X-API-Key "";
}}"""
    (fixtures.folder / "nginx.conf").write_text(
        head
        + f"""
map_hash_bucket_size 128; map_hash_max_size 16384;
map $http_x_api_key $consumer {{ default ""; {consumers} }}
limit_req_zone $consumer zone=each:10m rate={PLENTY}r/s;
upstream origin {{ server 127.0.0.1:{ports.upstream}; keepalive 512; keepalive_requests 1000000000; }}
server {{ listen 127.0.0.1:{ports.nginx_plain} backlog=4096; location / {{ {forward} }} }}
server {{ listen 127.0.0.1:{ports.nginx_key} backlog=4096; {keyed} }}
server {{ listen 127.0.0.1:{ports.nginx_tls} ssl http2 backlog=4096; http2_max_concurrent_streams 256;
  ssl_certificate {fixtures.folder}/server.pem; ssl_certificate_key {fixtures.folder}/server.key;
  ssl_protocols TLSv1.2 TLSv1.3; {keyed} }}
}}
"""
    )


def haproxy_jwt(name: str, port: int, algorithm: str, pem: Path) -> str:
    return f"""
frontend {name}
  bind 127.0.0.1:{port}
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request set-var(txn.iss) var(txn.token),jwt_payload_query('$.iss')
  http-request set-var(txn.sub) var(txn.token),jwt_payload_query('$.sub')
  http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request return status 401 unless {{ var(txn.alg) -m str {algorithm} }} {{ var(txn.iss) -m str {ISSUER} }}
  http-request return status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  http-request return status 401 unless {{ var(txn.token),jwt_verify(txn.alg,"{pem}") 1 }}
  http-request track-sc0 var(txn.sub) table rates
  http-request set-var(txn.rate) sc_http_req_rate(0)
  http-request return status 429 if {{ var(txn.rate) -m int gt {PLENTY} }}
  http-request del-header authorization
  http-request set-header X-Auth-Subject %[var(txn.sub)]
  http-response set-header X-RateLimit-Limit {PLENTY}
  http-response set-header X-RateLimit-Remaining %[int({PLENTY}),sub(txn.rate)]
  default_backend origin
"""


def write_haproxy(fixtures: Fixtures, api_keys: list[str]) -> None:
    folder, ports = fixtures.folder, fixtures.ports
    (folder / "keys.map").write_text("".join(f"{key} consumer-{number}\n" for number, key in enumerate(api_keys)))
    (folder / "haproxy.cfg").write_text(
        f"""global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 600s
  timeout server 600s
  http-reuse always
backend rates
  stick-table type string len 64 size 200k expire 60s store http_req_rate(1s)
backend origin
  server one 127.0.0.1:{ports.upstream} pool-max-conn -1 pool-purge-delay 600s
frontend plain
  bind 127.0.0.1:{ports.haproxy_plain}
  default_backend origin
frontend key
  bind 127.0.0.1:{ports.haproxy_key}
  bind 127.0.0.1:{ports.haproxy_tls} ssl crt {folder}/server.both.pem alpn h2,http/1.1
  http-request set-var(txn.consumer) req.hdr(x-api-key),map_str({folder}/keys.map)
  http-request return status 401 unless {{ var(txn.consumer) -m found }}
  http-request track-sc0 var(txn.consumer) table rates
  http-request set-var(txn.rate) sc_http_req_rate(0)
  http-request return status 429 if {{ var(txn.rate) -m int gt {PLENTY} }}
  http-request del-header x-api-key
  http-request set-header X-Auth-Subject %[var(txn.consumer)]
  http-response set-header X-RateLimit-Limit {PLENTY}
  http-response set-header X-RateLimit-Remaining %[int({PLENTY}),sub(txn.rate)]
  default_backend origin
"""
        + haproxy_jwt("rs", ports.haproxy_rs, "RS256", folder / "rs.pem")
        + haproxy_jwt("es", ports.haproxy_es, "ES256", folder / "es.pem")
    )


def envoy_filter(name: str, kind: str, **members: object) -> dict:
    return {
        "name": name,
        "typed_config": {"@type": f"type.googleapis.com/envoy.extensions.filters.{kind}"} | members,
    }


def envoy_listener(port: int, *filters: dict, **members: object) -> dict:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "600s"}}
    router = envoy_filter("envoy.filters.http.router", "http.router.v3.Router", suppress_envoy_headers=True)
    connections = envoy_filter(
        "envoy.filters.network.http_connection_manager", "network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=f"port-{port}", generate_request_id=False, http_filters=[*filters, router],
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    )  # fmt: skip
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"name": f"port-{port}", "address": address, "filter_chains": [{"filters": [connections]} | members]}


def write_envoy(fixtures: Fixtures, api_keys: list[str], jwks: list[dict]) -> None:
    """Its limit is one bucket for all, which flatters it."""
    folder, ports = fixtures.folder, fixtures.ports
    bucket = {"max_tokens": PLENTY, "tokens_per_fill": PLENTY, "fill_interval": "1s"}
    always = {"default_value": {"numerator": 100}}
    limit = envoy_filter(
        "envoy.filters.http.local_ratelimit", "http.local_ratelimit.v3.LocalRateLimit", stat_prefix="plenty", token_bucket=bucket,
        filter_enabled=always, filter_enforced=always, enable_x_ratelimit_headers="DRAFT_VERSION_03",
    )  # fmt: skip
    keyed = envoy_filter(
        "envoy.filters.http.api_key_auth", "http.api_key_auth.v3.ApiKeyAuth", key_sources=[{"header": "x-api-key"}],
        credentials=[{"key": key, "client": f"consumer-{number}"} for number, key in enumerate(api_keys)],
        forwarding={"header": "x-auth-subject", "hide_credentials": True},
    )  # fmt: skip
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": json.dumps({"keys": jwks})},
        "claim_to_headers": [{"header_name": "x-auth-subject", "claim_name": "sub"}],
        "jwt_cache_config": {"jwt_cache_size": 10_000},
    }
    token = envoy_filter(
        "envoy.filters.http.jwt_authn", "http.jwt_authn.v3.JwtAuthentication", providers={"issuer": provider},
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    )  # fmt: skip
    pair = {
        "certificate_chain": {"filename": f"{folder}/server.pem"},
        "private_key": {"filename": f"{folder}/server.key"},
    }
    tls = {
        "name": "tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [pair]},
        },
    }
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": ports.upstream}}}}
    many = {"max_connections": 100_000, "max_pending_requests": 100_000, "max_requests": 100_000}
    cluster = {
        "name": "origin",
        "connect_timeout": "2s",
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [many]},
        "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listeners = [
        envoy_listener(ports.envoy_plain),
        envoy_listener(ports.envoy_key, keyed, limit),
        envoy_listener(ports.envoy_jwt, token, limit),
        envoy_listener(ports.envoy_tls, keyed, limit, transport_socket=tls),
    ]
    whole = {"static_resources": {"listeners": listeners, "clusters": [cluster]}}
    (folder / "envoy.json").write_text(json.dumps(whole))


def write_portcullis(fixtures: Fixtures, api_keys: list[str]) -> None:
    records = (
        {
            "id": f"key-{number}",
            "sha256": hashlib.sha256(key.encode()).hexdigest(),
            "subject": f"consumer-{number}",
            "expires_at": "2099-01-01T00:00:00Z",
        }
        for number, key in enumerate(api_keys)
    )
    (fixtures.folder / "keys.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))

    def route(name: str, authenticate: list[str] | str) -> dict:
        members = {"name": name, "match": {"path": f"/{name}"}, "authenticate": authenticate, "upstream": "origin"}
        return members if authenticate == "none" else members | {"limits": ["plenty"]}

    def action(path: str, authenticate: list[str] | str, action: dict) -> dict:
        return {"name": path, "match": {"path": f"/{path}"}, "authenticate": authenticate, "action": action}

    (fixtures.folder / "store.key").write_text(secrets.token_hex(32))
    claims = {"id": "{family}", "iss": ISSUER, "aud": AUDIENCE, "sub": "{subject}", "exp": "{expires_at}"}
    terms = {"key_set": "own", "claims": claims}

    policy = {
        "loops": 1,
        "store": {"sqlite": "store.db", "encryption_key": "file:store.key"},
        "listeners": [
            {"address": f"127.0.0.1:{fixtures.ports.portcullis}"},
            {
                "address": f"127.0.0.1:{fixtures.ports.portcullis_tls}",
                "tls": {"certificate": "file:server.pem", "key": "file:server.key"},
            },
        ],
        "admin": {"address": f"127.0.0.1:{fixtures.ports.admin}"},
        "access_log": "off",
        "upstreams": {"origin": {"servers": [f"http://127.0.0.1:{fixtures.ports.upstream}"]}},
        "key_sets": {"issuer": {"file": "jwks.json"}, "own": {"stored": True, "algorithms": ["HS256"]}},
        "authenticators": {
            "keys": {"type": "api_key", "from": ["header:X-API-Key"], "keys_file": "keys.jsonl"},
            "jwt": {
                "type": "jwt",
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "algorithms": ["RS256", "ES256"],
                "key_set": "issuer",
            },
            "kept": {"type": "api_key", "from": ["header:X-Kept-Key"], "stored": True},
            "own": {
                "type": "jwt",
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "algorithms": ["HS256"],
                "key_set": "own",
                "derived_from": {"authenticator": "kept", "claim": "/id"},
            },
        },
        "limits": {"plenty": {"requests": PLENTY, "per": "1s", "burst": PLENTY, "by": "identity"}},
        "routes": [
            route("plain", "none"),
            route("key", ["keys"]),
            route("rs", ["jwt"]),
            route("es", ["jwt"]),
            route("kept", ["kept"]),
            route("own", ["own"]),
            action("mint", ["kept"], {"mint_token": terms}),
            action("renewable", ["kept"], {"mint_token": terms | {"refresh_tokens": {"lifetime": "1h"}}}),
            action("login", "none", {"login": terms}),
        ],
    }
    (fixtures.folder / "gateway.json").write_text(json.dumps(policy, indent=2))
