# SPDX-License-Identifier: Apache-2.0
"""Section 4, Changes: their shapes, what they put, and the rows of their acts."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Broken
from ..forms.encoding import day_after, time_ms
from ..forms.jws import thumbprint
from ..forms.shapes import digest_text, name, nullable, obj, one_of, tagged, timestamp
from .genesis import is_sealing_right
from .records import APPLICANT, DEPLOYMENT, INSTANCE, KEY, REASON, RULES, RegistryState
from .renew import is_expiry, is_new


def _change(act: str, members: dict) -> dict:
    return obj({"act": one_of(act), **members})


CHANGE = tagged("act", {
    "admit": _change("admit", {"institution": APPLICANT}),
    "remove": _change("remove", {"institution": name}),
    "replace-root": _change("replace-root", {"institution": name, "root": KEY}),
    "enrol": _change("enrol", {"instance": INSTANCE, "key": KEY}),
    "revoke": _change("revoke", {"kid": digest_text, "reason": REASON, "suspectFrom": nullable(timestamp)}),
    "reinstate": _change("reinstate", {"kid": digest_text}),
    "deploy": _change("deploy", {"deployment": DEPLOYMENT, "key": KEY}),
    "rules": _change("rules", {"rules": RULES}),
    "renew": _change("renew", {"key": KEY, "expires": timestamp}),
})


MEMBERSHIP_ACTS = ("admit", "remove", "rules")


@dataclass(frozen=True)
class ChangeContext:
    """Who makes a change, and who agrees to it."""

    author: str
    use: str
    height: int
    time: str
    approving: set[str]
    members: set[str]


def apply_change(state: RegistryState, change: dict, context: ChangeContext) -> RegistryState:
    if context.use == "recovery" and change["act"] != "replace-root":
        raise Broken("recovery-key", "a recovery key only replaces its root key")
    return state.with_records(_ACTS[change["act"]](state, change, context))


def _renew(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    raise Broken("renew", "an instance renews itself")


def _require_unknown(state: RegistryState, *kids: str) -> None:
    if len(set(kids)) != len(kids) or any(state.get("key", kid) for kid in kids):
        raise Broken("kid-owner", "a key has a record already")


def _require_majority(context: ChangeContext, subject: str | None = None) -> None:
    members = context.members - {subject}
    if 2 * len(context.approving & members) <= len(members):
        raise Broken("majority", "not more than half of the members approve")


def _admit(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    record = change["institution"]
    if state.get("institution", record["id"]):
        raise Broken("admit", "the institution is there already")
    keys = [{"v": 1, "kind": "key", "kid": thumbprint(record[use]), "jwk": record[use], "use": use,
             "owner": {"institution": record["id"]}, "revoked": None} for use in ("root", "recovery")]
    _require_unknown(state, *(key["kid"] for key in keys))
    if not is_sealing_right(record) or record["status"] != "active":
        raise Broken("admit", "the record is not right")
    _require_majority(context)
    waits_until = context.time if state.rules()["demo"] else day_after(context.time)
    return [{**record, "from": waits_until}, *keys]


def _remove(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    if not state.active_institution(change["institution"]):
        raise Broken("remove", "there is no such active institution")
    _require_majority(context, change["institution"])
    return [{**state.get("institution", change["institution"]), "status": "removed"}]


def _replace_root(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    institution, key = change["institution"], change["root"]
    record = state.get("institution", institution)
    if record is None or institution != context.author or context.use != "recovery":
        raise Broken("replace-root", "not by the institution's own recovery key")
    if not is_new(key, "root", {"institution": institution}):
        raise Broken("replace-root", "the new key is not right")
    _require_unknown(state, key["kid"])
    old = state.get("key", thumbprint(record["root"]))
    if old is None:
        raise Broken("replace-root", "the old root key has no record")
    revoked = {"reason": "compromised", "suspectFrom": None, "height": context.height}
    return [{**record, "root": key["jwk"]}, key, {**old, "revoked": revoked}]


def _enrol(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    instance, key = change["instance"], change["key"]
    known = state.get("instance", instance["id"])
    if instance["institution"] != context.author or (known and known["institution"] != context.author):
        raise Broken("enrol", "the instance is another institution's")
    _require_unknown(state, key["kid"])
    if "expires" in instance and not is_expiry(instance["expires"], time_ms(context.time)):
        raise Broken("expires", "not after the block, or more than 398 days after it")
    owner = {"institution": context.author, "instance": instance["id"]}
    if not is_new(key, "sign", owner) or key["kid"] != instance["signing"] or instance["status"] != "active":
        raise Broken("enrol", "the record or its key is not right")
    return [instance, key]


# What a revocation may become: a suspension final, and of a retired key it may turn out that it was stolen.
_WORSE = {"suspended": ("retired", "compromised"), "retired": ("compromised",)}


def _revoke(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    key, reason = state.get("key", change["kid"]), change["reason"]
    if key is None or _institution_of(key, state) != context.author or key["use"] in ("root", "recovery"):
        raise Broken("revoke", "the key is not one that the author can revoke")
    if change["suspectFrom"] is not None and reason != "compromised":
        raise Broken("revoke", "only a compromised key is suspect")
    before = key["revoked"]
    if before is not None and reason not in _WORSE.get(before["reason"], ()):
        raise Broken("revoke", "the key is revoked already")
    revoked = {"reason": reason, "suspectFrom": change["suspectFrom"],
               "height": before["height"] if before else context.height}
    instance = state.get("instance", key["owner"].get("instance", ""))
    puts = [{**key, "revoked": revoked}]
    if instance and instance["signing"] == key["kid"]:
        puts.append({**instance, "status": "revoked"})
    return puts


def _reinstate(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    key = state.get("key", change["kid"])
    if key is None or _institution_of(key, state) != context.author:
        raise Broken("reinstate", "the key is not one of the author's")
    if key["revoked"] is None or key["revoked"]["reason"] != "suspended":
        raise Broken("reinstate", "the key is not suspended")
    instance = state.get("instance", key["owner"].get("instance", ""))
    puts = [{**key, "revoked": None}]
    if instance and instance["signing"] == key["kid"]:
        puts.append({**instance, "status": "active"})
    return puts


def _institution_of(key: dict, state: RegistryState) -> str | None:
    if "institution" in key["owner"]:
        return key["owner"]["institution"]
    deployment = state.get("deployment", key["owner"]["deployment"])
    return deployment and deployment["institution"]


def _deploy(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    deployment, key = change["deployment"], change["key"]
    known = state.get("deployment", deployment["id"])
    if deployment["institution"] != context.author or (known and known["institution"] != context.author):
        raise Broken("deploy", "the deployment is another institution's")
    if state.is_origin_taken(deployment):
        raise Broken("origin", "another deployment has the origin")
    _require_unknown(state, key["kid"])
    if not is_new(key, "head", {"deployment": deployment["id"]}) or key["kid"] != deployment["kid"]:
        raise Broken("deploy", "the key is not right")
    return [deployment, key]


def _rules(state: RegistryState, change: dict, context: ChangeContext) -> list[dict]:
    known, rules = state.rules(), change["rules"]
    if known is None or known["demo"] != rules["demo"] or not state.get("deployment", rules["home"]):
        raise Broken("rules", "`demo` changes, or the home is no deployment")
    _require_majority(context)
    return [rules]


_ACTS = {"admit": _admit, "remove": _remove, "replace-root": _replace_root, "enrol": _enrol,
         "revoke": _revoke, "reinstate": _reinstate, "deploy": _deploy, "rules": _rules, "renew": _renew}
