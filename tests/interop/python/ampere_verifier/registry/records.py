# SPDX-License-Identifier: Apache-2.0
"""Section 4: the records, and the state that holds them."""

from __future__ import annotations

from typing import Iterable, Iterator

from ..errors import Broken
from ..forms.encoding import canonical, merkle_root, sha256, time_ms, utf16
from ..forms.shapes import (JWK, arr, boolean, bytes_of, count, digest_text, either, name, nullable, obj,
                            one_of, origin, sealing_key, sorted_arr, tagged, text_of, timestamp)

BUCKETS = 4096
CAPABILITIES = ("control", "create", "identify", "publish", "release-share")
REASON = one_of("retired", "suspended", "compromised")


def _record(kind: str, members: dict, optional: tuple[str, ...] = ()) -> dict:
    return obj({"v": one_of(1), "kind": one_of(kind), **members}, optional)


_APPLICANT = {
    "id": name, "name": text_of(200), "status": one_of("active", "removed"), "root": JWK, "recovery": JWK,
    "sealing": obj({"kid": digest_text, "key": sealing_key}),
}
APPLICANT = _record("institution", _APPLICANT)
INSTITUTION = _record("institution", {**_APPLICANT, "from": timestamp})
MEMBERSHIP = _record("membership", {"height": count})
INSTANCE = _record("instance", {
    "id": name, "institution": name, "status": one_of("active", "revoked"),
    "capabilities": sorted_arr(one_of(*CAPABILITIES), len(CAPABILITIES)), "signing": digest_text,
    "expires": timestamp,
}, optional=("expires",))
KEY = _record("key", {
    "kid": digest_text, "jwk": JWK, "use": one_of("root", "recovery", "sign", "head"),
    "owner": either(obj({"institution": name}), obj({"institution": name, "instance": name}),
                    obj({"deployment": name})),
    "revoked": nullable(obj({"reason": REASON, "suspectFrom": nullable(timestamp), "height": count})),
})
DEPLOYMENT = _record("deployment", {"id": name, "institution": name, "origin": origin, "kid": digest_text})
RULES = _record("rules", {"home": name, "demo": boolean})
_OTHERS = {"instance": INSTANCE, "key": KEY, "deployment": DEPLOYMENT, "rules": RULES}
FOUNDING = tagged("kind", {"institution": APPLICANT, **_OTHERS})
RECORD = tagged("kind", {"institution": INSTITUTION, **_OTHERS, "membership": MEMBERSHIP})
RECORD_PROOF = obj({"bucket": lambda value: value, "hashes": arr(bytes_of(32), 12, least=12)})


def record_key(record: dict) -> str:
    kind = record["kind"]
    return kind if kind in ("rules", "membership") else f"{kind}/{record['kid' if kind == 'key' else 'id']}"


def bucket_of(key: str) -> int:
    """The first 12 bits of SHA-256(key)."""
    return int.from_bytes(sha256(key.encode("utf-8"))[:2], "big") >> 4


class RegistryState:
    """The records as of one block. Immutable: `with_records` gives the next."""

    def __init__(self, records: dict[str, dict] | None = None, at_ms: int | None = None):
        self._records = records or {}
        self._at_ms = at_ms

    def as_of(self, at_ms: int) -> "RegistryState":
        """The same records, judged at a time: who has expired by then is not active."""
        return RegistryState(self._records, at_ms)

    def with_records(self, records: Iterable[dict]) -> "RegistryState":
        return RegistryState({**self._records, **{record_key(record): record for record in records}})

    def get(self, kind: str, name_: str) -> dict | None:
        return self._records.get(f"{kind}/{name_}")

    def rules(self) -> dict | None:
        return self._records.get("rules")

    def of_kind(self, kind: str) -> Iterator[dict]:
        return (record for record in self._records.values() if record["kind"] == kind)

    def root(self) -> str:
        """The root over the buckets, each the canonical array of its records sorted by key."""
        buckets: dict[int, list[dict]] = {}
        for key in sorted(self._records, key=utf16):
            buckets.setdefault(bucket_of(key), []).append(self._records[key])
        return merkle_root(canonical(buckets[index]) if index in buckets else b"[]" for index in range(BUCKETS))

    def active_institution(self, institution: str) -> bool:
        record = self.get("institution", institution)
        return record is not None and record["status"] == "active"

    def members_at(self, time: int) -> set[str]:
        """Who votes at a time: active, and no longer waiting."""
        return {record["id"] for record in self.of_kind("institution")
                if record["status"] == "active" and time_ms(record["from"]) <= time}

    def membership_height(self) -> int:
        return self._records["membership"]["height"] if "membership" in self._records else 0

    def usable_key(self, kid: str, use: str) -> dict | None:
        """The key record of that use, not revoked (a suspension is a revocation too)."""
        record = self.get("key", kid)
        return record if record and record["use"] == use and record["revoked"] is None else None

    def root_owner(self, kid: str, time: int) -> tuple[str, str] | None:
        """The active institution whose unrevoked root or recovery key this is, with the use; not one that waits."""
        for use in ("root", "recovery"):
            record = self.usable_key(kid, use)
            institution = record and record["owner"].get("institution")
            if institution and self.active_institution(institution):
                if institution not in self.members_at(time):
                    raise Broken("waiting", "the institution is a member only later")
                return institution, use
        return None

    def active_instance(self, kid: str) -> dict | None:
        """Section 5, active instance."""
        record = self.usable_key(kid, "sign")
        instance = record and self.get("instance", record["owner"].get("instance", ""))
        if not instance or instance["status"] != "active" or instance["signing"] != kid:
            return None
        if self._at_ms is not None and "expires" in instance and time_ms(instance["expires"]) < self._at_ms:
            return None
        return instance if self.active_institution(record["owner"]["institution"]) else None

    def head_key(self, kid: str, origin_: str) -> dict | None:
        """Section 7: an unrevoked `head` key of the deployment at an origin, as JWK."""
        record = self.usable_key(kid, "head")
        deployment = record and self.get("deployment", record["owner"].get("deployment", ""))
        return record["jwk"] if deployment and deployment["origin"] == origin_ else None

    def is_origin_taken(self, deployment: dict) -> bool:
        return any(other["origin"] == deployment["origin"] and other["id"] != deployment["id"]
                   for other in self.of_kind("deployment"))
