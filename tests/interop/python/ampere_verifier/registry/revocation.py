# SPDX-License-Identifier: Apache-2.0
"""Section 4, "A revocation that is shown": a statement, judged by what a registry says of the keys in it."""

from __future__ import annotations

from ..errors import Broken
from ..forms.jws import parse_statement
from ..forms.shapes import digest_text, nullable, obj, one_of, timestamp
from .records import RegistryState

MAX_CHARACTERS = 2048
_STATEMENT = obj({"v": one_of(1), "registry": digest_text, "kid": digest_text,
                  "reason": one_of("retired", "suspended", "compromised"),
                  "suspectFrom": nullable(timestamp), "time": timestamp})


def open_revocation(jws: str, registry: str, state: RegistryState) -> tuple[str, str]:
    """The institution that revokes, and the key; refuses what none could say."""
    statement = parse_statement(jws, "ampere-revocation+jws", MAX_CHARACTERS)
    said = _STATEMENT(statement.payload)
    root = state.get("key", statement.kid)
    statement.verify(root and root["jwk"])
    if said["registry"] != registry:
        raise Broken("registry", "another registry")
    key = state.get("key", said["kid"])
    owner = _institution_of(key, state)
    if root["use"] != "root" or owner is None or _institution_of(root, state) != owner:
        raise Broken("revoke", "not by its own institution's root key")
    if key["use"] in ("root", "recovery"):
        raise Broken("revoke", "a root key is replaced")
    if said["suspectFrom"] is not None and said["reason"] != "compromised":
        raise Broken("revoke", "only a compromised key is suspect")
    return owner, said["kid"]


def _institution_of(key: dict | None, state: RegistryState) -> str | None:
    if key is None:
        return None
    if "deployment" in key["owner"]:
        deployment = state.get("deployment", key["owner"]["deployment"])
        return deployment and deployment["institution"]
    return key["owner"]["institution"]
