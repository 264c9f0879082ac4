# SPDX-License-Identifier: Apache-2.0
"""Section 4, Rules: the records of a genesis."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import digest, from_base64url
from ..forms.jws import thumbprint
from .records import RegistryState, record_key


def check_genesis_records(records: list[dict], time: str) -> RegistryState:
    """`record-twice` and `rules` first, then each record by the rows of its kind, then `founders`; gives the state."""
    if len({record_key(record) for record in records}) != len(records):
        raise Broken("record-twice", "two records have one key")
    state = RegistryState().with_records(
        {**record, "from": time} if record["kind"] == "institution" else record for record in records)
    if state.rules() is None:
        raise Broken("rules", "there are no rules")
    for record in records:
        _CHECKS[record["kind"]](record, state)
    if not any(True for _ in state.of_kind("institution")):
        raise Broken("founders", "there is no institution")
    return state.with_records([{"v": 1, "kind": "membership", "height": 0}])


def has_key(state: RegistryState, kid: str, use: str, owner: dict) -> bool:
    record = state.get("key", kid)
    return record is not None and record["use"] == use and record["owner"] == owner


def _check_key(record: dict, state: RegistryState) -> None:
    if thumbprint(record["jwk"]) != record["kid"]:
        raise Broken("kid", "a kid is not the thumbprint")
    if record["revoked"] is not None:
        raise Broken("revoked", "a key of a genesis is revoked")
    if not _is_named(record, state):
        raise Broken("owner", "a key is not one that its owner names")


def _is_named(record: dict, state: RegistryState) -> bool:
    owner, kid = record["owner"], record["kid"]
    if "deployment" in owner:
        deployment = state.get("deployment", owner["deployment"])
        return deployment is not None and deployment["kid"] == kid
    if "instance" in owner:
        instance = state.get("instance", owner["instance"])
        return instance is not None and instance["signing"] == kid
    institution = state.get("institution", owner["institution"])
    return institution is not None and kid in (thumbprint(institution["root"]),
                                               thumbprint(institution["recovery"]))


def _check_institution(record: dict, state: RegistryState) -> None:
    if not is_sealing_right(record):
        raise Broken("sealing-key", "a sealing key has another digest")
    for use in ("root", "recovery"):
        if not has_key(state, thumbprint(record[use]), use, {"institution": record["id"]}):
            raise Broken("institution-key", f"an institution has no {use} key of its own")
    if record["status"] != "active":
        raise Broken("status", "an institution of a genesis is not active")


def is_sealing_right(institution: dict) -> bool:
    sealing = institution["sealing"]
    return digest(from_base64url(sealing["key"])) == sealing["kid"]


def _check_instance(record: dict, state: RegistryState) -> None:
    owner = {"institution": record["institution"], "instance": record["id"]}
    if not has_key(state, record["signing"], "sign", owner):
        raise Broken("instance-key", "an instance has no key of its own")
    if "expires" in record:
        raise Broken("expires", "an instance of a genesis does not expire")
    _check_owned(record, state)


def _check_deployment(record: dict, state: RegistryState) -> None:
    if not has_key(state, record["kid"], "head", {"deployment": record["id"]}):
        raise Broken("deployment-key", "a deployment has no key of its own")
    if state.is_origin_taken(record):
        raise Broken("origin", "two deployments have one origin")
    _check_owned(record, state)


def _check_owned(record: dict, state: RegistryState) -> None:
    if state.get("institution", record["institution"]) is None:
        raise Broken("owner", "an instance or deployment is of no institution")


def _check_rules(record: dict, state: RegistryState) -> None:
    if state.get("deployment", record["home"]) is None:
        raise Broken("rules", "the home is no deployment")


_CHECKS = {"key": _check_key, "institution": _check_institution, "instance": _check_instance,
           "deployment": _check_deployment, "rules": _check_rules}
