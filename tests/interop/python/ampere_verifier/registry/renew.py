# SPDX-License-Identifier: Apache-2.0
"""Section 4: the one change that an instance makes, of itself."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import time_ms
from ..forms.jws import thumbprint
from .records import RegistryState

_MOST_MS = 398 * 86_400_000


def is_expiry(expires: str, block_ms: int) -> bool:
    return 0 < time_ms(expires) - block_ms <= _MOST_MS


def is_new(key: dict, use: str, owner: dict) -> bool:
    return (key["revoked"] is None and thumbprint(key["jwk"]) == key["kid"]
            and key["use"] == use and key["owner"] == owner)


def renewed(state: RegistryState, kid: str, payload: dict) -> RegistryState:
    """A change that no root key signed."""
    instance = state.active_instance(kid)
    if instance is None or all(change["act"] != "renew" for change in payload["body"]["changes"]):
        raise Broken("author", "not signed by a root key of an active institution")
    change, *more = payload["body"]["changes"]
    if change["act"] != "renew" or more or payload["body"]["approvals"]:
        raise Broken("renew", "an instance renews itself, and changes nothing else")
    block_ms, before, key = time_ms(payload["time"]), instance.get("expires"), change["key"]
    if before is None or time_ms(before) < block_ms:
        raise Broken("renew", "the instance does not expire, or has expired")
    if state.get("key", key["kid"]):
        raise Broken("kid-owner", "a key has a record already")
    if not is_new(key, "sign", {"institution": instance["institution"], "instance": instance["id"]}):
        raise Broken("renew", "the new key is not right")
    if time_ms(change["expires"]) <= time_ms(before) or not is_expiry(change["expires"], block_ms):
        raise Broken("expires", "not later than before, or more than 398 days after the block")
    revoked = {"reason": "retired", "suspectFrom": None, "height": payload["height"]}
    return state.with_records([{**instance, "signing": key["kid"], "expires": change["expires"]}, key,
                               {**state.get("key", kid), "revoked": revoked}])
