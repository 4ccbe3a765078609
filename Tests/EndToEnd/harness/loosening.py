"""Policies with one rule taken away or widened: what a policy's own tests have to notice."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
#: A name for what was changed, the member of the file it stands under, and the changed policy.
Loosened = tuple[str, str, Json]

EVERYWHERE = ["0.0.0.0/0", "::/0"]
#: Members of a route that only narrow who, what and how much passes.
NARROWING = ["accept", "body_bytes", "content_types", "https_only", "limits", "realm"]
#: The media types in which a realm is looked for; content of another type is refused where it is.
OF_REALMS = {"application/json", "application/x-www-form-urlencoded"}
#: Members of a jwt authenticator that only narrow which tokens are good.
TOKEN_RULES = ["audiences", "derived_from", "issuer", "max_lifetime", "required_claims", "types"]
#: Members of a key's record, and of a certificate's entry.
RECORD_RULES = ["allow_ips", "expires_at", "limits", "not_before", "realm"]


def changed(config: Json, change: Callable[[Json], object]) -> Json:
    other = copy.deepcopy(config)
    change(other)
    return other


def route_rules(config: Json, index: int) -> Iterator[tuple[str, Callable[[Json], object]]]:
    """What can be loosened about a route, as changes of the route."""
    route = config["routes"][index]
    if route["authenticate"] != "none":

        def opened(it: Json) -> None:
            it["authenticate"] = "none"
            for member in ("authorize", "request_headers", "request_query", "stored_credential"):
                it.pop(member, None)

        def opened_if_nothing_shown(it: Json) -> None:
            it["authenticate"] = {"optional": config["routes"][index]["authenticate"]}
            for member in ("scopes", "claims", "membership"):
                it.get("authorize", {}).pop(member, None)

        yield "authenticate", opened
        yield "mode", lambda it: it.update(mode="shadow")
        if isinstance(route["authenticate"], list):
            yield "authenticate.optional", opened_if_nothing_shown
            for name in config["authenticators"]:
                if name not in route["authenticate"]:
                    yield f"takes_{name}", lambda it, name=name: it["authenticate"].append(name)
        for rest in route["authenticate"].get("all_of", []) if isinstance(route["authenticate"], dict) else []:
            yield f"authenticate.only_{rest}", lambda it, rest=rest: it.update(authenticate=[rest])
    for member in ("methods", "hosts", "headers"):
        if member in route["match"]:
            yield f"match.{member}", lambda it, member=member: it["match"].pop(member)
    # Without them the route is no looser where the realm is in the content.
    is_realm_in_content = "action" not in route and route.get("realm", {}).get("content", False)
    for member in NARROWING:
        if member == "content_types" and is_realm_in_content and set(route.get(member, [])) == OF_REALMS:
            continue
        if member in route:
            yield member, lambda it, member=member: it.pop(member)
    if route.get("realm", {}).get("required", True) and "realm" in route:
        yield "realm.required", lambda it: it["realm"].update(required=False)
    if len(route.get("limits", [])) > 1:
        for name in route["limits"]:
            yield f"limits.{name}", lambda it, name=name: it["limits"].remove(name)
    if "remove" in route.get("request_headers", {}):
        yield "request_headers.remove", lambda it: it["request_headers"].pop("remove")
    yield from authorize_rules(route.get("authorize", {}))


def authorize_rules(rules: Json) -> Iterator[tuple[str, Callable[[Json], object]]]:
    for rule in rules:
        if rule == "allow_ips":
            yield "authorize.allow_ips", lambda it: it["authorize"].update(allow_ips=EVERYWHERE)
        else:
            yield f"authorize.{rule}", lambda it, rule=rule: it["authorize"].pop(rule)
    for rule in ("scopes", "claims", "deny_ips"):
        if len(rules.get(rule, [])) > 1:
            for number, part in enumerate(rules[rule]):
                key = number if isinstance(rules[rule], list) else part
                yield f"authorize.{rule}.{part}", lambda it, rule=rule, key=key: it["authorize"][rule].pop(key)
    for part in ("project", "roles"):
        if part in rules.get("membership", {}):
            yield f"authorize.membership.{part}", lambda it, part=part: it["authorize"]["membership"].pop(part)


def authenticator_rules(authenticator: Json) -> Iterator[tuple[str, Callable[[Json], object]]]:
    """What can be loosened about an authenticator, as changes of it."""
    if authenticator["type"] == "jwt":
        for member in TOKEN_RULES:
            if member in authenticator:
                yield member, lambda it, member=member: it.pop(member)
        if len(authenticator.get("required_claims", {})) > 1:
            for claim in authenticator["required_claims"]:
                yield f"required_claims.{claim}", lambda it, claim=claim: it["required_claims"].pop(claim)
        if "addresses_claim" in authenticator:
            yield "addresses_claim", lambda it: it.update(addresses_claim="/nowhere")
        more = "HS384" if all(name.startswith("HS") for name in authenticator["algorithms"]) else "HS256"
        yield "algorithms", lambda it: it["algorithms"].append(more)
        yield "leeway", lambda it: it.update(leeway="2m")
    for members in ("keys", "certificates"):
        for number, record in enumerate(authenticator.get(members, [])):
            name = f"{members}.{record.get('id', number)}"
            for rule in [rule for rule in RECORD_RULES if rule in record]:
                yield f"{name}.{rule}", lambda it, m=members, n=number, rule=rule: it[m][n].pop(rule)
            if not record.get("enabled", True):
                yield f"{name}.enabled", lambda it, m=members, n=number: it[m][n].pop("enabled")
    if authenticator.get("certificates"):
        yield "certificates", lambda it: it.pop("certificates")


def listener_rules(listener: Json) -> Iterator[tuple[str, Callable[[Json], object]]]:
    """What can be loosened about a listener, as changes of it. Which authorities vouch for clients is in no test's reach."""
    if "redirect_to_https" in listener:
        yield "redirect_to_https", lambda it: it.pop("redirect_to_https")
    if "tls" in listener:
        yield "tls", lambda it: it.pop("tls")
        if listener["tls"].get("client_certificates") == "require":
            yield "client_certificates", lambda it: it["tls"].update(client_certificates="optional")
        elif "client_certificates" in listener["tls"]:

            def unasked(it: Json) -> None:
                del it["tls"]["client_certificates"], it["tls"]["client_ca"]

            yield "client_certificates", unasked


def written_out(config: Json) -> Json:
    """The policy without `defaults`: each route has what it inherits as members of its own."""
    config = copy.deepcopy(config)
    defaults = config.pop("defaults", {})
    for route in config["routes"]:
        action = route.get("action", {})
        if "not_found" in action:
            route.setdefault("authenticate", "none")
        for member, value in defaults.items():
            of_upstream = member == "upstream" or (member, value) == ("cors", "upstream")
            if not (action and of_upstream or "not_found" in action and member != "cors"):
                route.setdefault(member, copy.deepcopy(value))
        for member in defaults.keys() - {"authenticate", "upstream", "cors"}:
            if member in route and route[member] is None:
                del route[member]
    return config


def loosened(config: Json) -> Iterator[Loosened]:
    """The policy with one rule taken away or widened, for each rule it has."""
    config = written_out(config)
    for index, route in enumerate(config["routes"]):
        for name, change in route_rules(config, index):
            other = changed(config, lambda it, index=index, change=change: change(it["routes"][index]))
            yield f"routes.{route['name']}.{name}", f"routes[{index}]", other
        if "not_found" in route.get("action", {}):
            yield f"routes.{route['name']}", f"routes[{index}]", changed(config, lambda it, index=index: it["routes"].pop(index))
    used = {name for route in config["routes"] for name in route.get("limits", [])}
    for name in sorted(used & config.get("limits", {}).keys()):

        def widened(it: Json, name: str = name) -> None:
            limit = it["limits"][name]
            if limit.get("kind") != "window":
                limit["burst"] = limit.get("burst", limit["requests"]) * 2
            limit["requests"] *= 2

        yield f"limits.{name}", f"limits.{name}", changed(config, widened)
        shadowed = changed(config, lambda it, name=name: it["limits"][name].update(mode="shadow"))
        yield f"limits.{name}.mode", f"limits.{name}", shadowed
    for name, authenticator in config.get("authenticators", {}).items():
        for rule, change in authenticator_rules(authenticator):
            other = changed(config, lambda it, name=name, change=change: change(it["authenticators"][name]))
            yield f"authenticators.{name}.{rule}", f"authenticators.{name}", other
    for index, listener in enumerate(config["listeners"]):
        for name, change in listener_rules(listener):
            other = changed(config, lambda it, index=index, change=change: change(it["listeners"][index]))
            yield f"listeners.{index}.{name}", f"listeners[{index}]", other
    if isinstance(config.get("cors"), dict) and config["cors"]["origins"] != ["*"]:
        anyone = {"origins": ["*"]}
        yield "cors.origins", "cors", changed(config, lambda it: it.update(cors=anyone))
    if config.get("https_only"):
        yield "https_only", "https_only", changed(config, lambda it: it.pop("https_only"))
    if config.get("failure_budget", "off") != "off":
        yield "failure_budget", "failure_budget", changed(config, lambda it: it.update(failure_budget="off"))
    if config.get("trusted_proxies"):
        yield "trusted_proxies", "trusted_proxies", changed(config, lambda it: it["trusted_proxies"].extend(EVERYWHERE))
    for rule in config.get("paths", {}):
        yield f"paths.{rule}", "paths", changed(config, lambda it, rule=rule: it["paths"].pop(rule))
