"""The gateway on examples/roboticks.json with people, organisations and projects in its store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from .gateway import Gateway
from .systems import Admin, example, prepare
from .upstream import Upstream
from .waiting import until

API = "/api/v1"
DEVICES = f"{API}/organizations/acme/projects/warehouse/devices"
#: The document's own.
EMAIL, PASSWORD = "user@example.com", "your-password"


class Fleet:
    """acme with two projects, globex with one, and the document's user in acme."""

    def __init__(self, start: Callable[..., Gateway], folder: Path, origin: Upstream, **members: Any) -> None:
        self.origin = origin
        prepare(folder)
        self.database = folder / "var" / "roboticks.db"
        self.gateway = start(example("roboticks", origin.port, **members))
        self.session = requests.Session()
        # No proxy of the machine.
        self.session.trust_env = False
        self.admin = Admin(self.gateway.admin_port, folder)
        self.sessions: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        for slug in ("acme", "globex"):
            self.ids[slug] = self.admin.make("organizations", slug=slug, name=slug.title())["id"]
        for path in ("acme/warehouse", "acme/factory", "globex/warehouse"):
            organization, _, slug = path.partition("/")
            made = self.admin.make("projects", organization_id=self.ids[organization], slug=slug, name=slug.title())
            self.ids[path] = made["id"]
        self.add_user(EMAIL, "acme")

    def add_user(self, email: str, *memberships: str, password: str = PASSWORD) -> None:
        """A user with memberships written ORGANIZATION or ORGANIZATION/PROJECT."""
        self.ids[email] = self.admin.make("users", email=email, name=email.split("@")[0], password=password)["id"]
        for membership in memberships:
            self.join(email, membership)

    def join(self, email: str, membership: str, role: str = "member") -> None:
        organization = membership.partition("/")[0]
        of_project = {"project_id": self.ids[membership]} if "/" in membership else {}
        self.admin.make("memberships", user_id=self.ids[email], organization_id=self.ids[organization], role=role, **of_project)

    def leave(self, email: str, membership: str) -> None:
        organization = membership.partition("/")[0]
        joined = [self.ids[email], self.ids[organization], *([self.ids[membership]] if "/" in membership else [])]
        self.admin.remove("memberships/" + ".".join(joined))

    def disable(self, email: str) -> None:
        self.admin.change(f"users/{self.ids[email]}", enabled=False)

    def as_user(self, method: str, path: str, email: str = EMAIL, **arguments: Any) -> requests.Response:
        """A call with a token of this user; he signs in once."""
        if email not in self.sessions:
            self.sessions[email] = self.token(email)
        return self.call(method, path, {"Authorization": f"Bearer {self.sessions[email]}"}, **arguments)

    def add_key(self, email: str = EMAIL, name: str = "ci") -> str:
        """A key that this user makes for himself; the secret, which is shown this once."""
        answer = self.as_user("POST", f"{API}/api_keys", email, json={"api_key": {"name": name}})
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    def keys(self, query: str = "", email: str = EMAIL) -> dict[str, dict[str, Any]]:
        """What a user is told of his keys, by their names."""
        answer = self.as_user("GET", f"{API}/api_keys{query}", email)
        assert answer.status_code == 200, answer.text
        return {key["name"]: key for key in answer.json()["collection"]}

    def rotate(self, identifier: str, email: str = EMAIL, **members: Any) -> str:
        """The new secret of a key."""
        answer = self.as_user("POST", f"{API}/api_keys/{identifier}/rotate", email, json={"api_key": members})
        assert answer.status_code == 200, answer.text
        return answer.json()["key"]

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any) -> requests.Response:
        return self.session.request(method, self.gateway.url + path, headers=headers, timeout=10, **arguments)

    def get(self, path: str = DEVICES, bearer: str | None = None, **headers: str) -> requests.Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("GET", path, fields | ({"Authorization": f"Bearer {bearer}"} if bearer else {}))

    def login(self, email: str = EMAIL, password: str = PASSWORD, **arguments: Any) -> requests.Response:
        return self.call("POST", f"{API}/auth/login", json={"email": email, "password": password}, **arguments)

    def token(self, email: str = EMAIL) -> str:
        answer = self.login(email)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def refresh(self, token: str) -> requests.Response:
        return self.call("POST", f"{API}/auth/refresh", {"Authorization": f"Bearer {token}"})

    def reason(self, answer: requests.Response) -> str | None:
        """Why the gateway gave this answer, as the access log has it."""

        def find() -> list[dict[str, Any]]:
            identifier = answer.headers["X-Request-ID"]
            return [one for one in self.gateway.access_records() if one["request_id"] == identifier]

        return until(find, what="the access record")[0]["reason"]
