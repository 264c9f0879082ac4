# SPDX-License-Identifier: Apache-2.0
"""Section 12, the form of an evidence file. What its texts hold is parsed by who judges them."""

from __future__ import annotations

from ..errors import Malformed
from ..forms.encoding import from_base64url, parse_canonical, utf16
from ..forms.shapes import Check, arr, bytes_of, count, digest_text, nullable, obj, one_of, origin, string, tagged

MAX_FILE_BYTES = 16_777_216
KINDS_WITH_REGISTRY = ("heads", "promise")
KINDS_WITH_LOG = ("checkpoints", "blocks", "order", "labels", "leaf-form", "promise")
MAX_LEAF_BYTES = 65_535


def _up_to(most: int) -> Check:
    """A text of at most so many UTF-16 code units, that may be empty."""

    def check(value: object) -> str:
        if len(utf16(string(value))) // 2 > most:
            raise Malformed(f"more than {most} characters")
        return value

    return check


def _leaf(value: object) -> str:
    if len(from_base64url(string(value))) > MAX_LEAF_BYTES:
        raise Malformed("longer than what a bundle can hold")
    return value


def _two(item: Check) -> Check:
    return arr(item, 2, least=2)


_JWS = _up_to(131_072)
_NOTE = _up_to(131_072)
_RECEIPTS = _two(_up_to(262_144))
_HASHES = arr(bytes_of(32), 64)
_LOG_ENTRY = bytes_of(65)
_REGISTRY = {"registry": obj({"id": digest_text, "blocks": arr(_JWS, 1024, least=1)})}
_LOG = {"log": arr(_up_to(4096), 8, least=1)}
_CONTRADICTION = tagged("how", {
    "root": obj({"how": one_of("root")}),
    "prefix": obj({"how": one_of("prefix"), "hashes": _HASHES}),
    "leaf": obj({"how": one_of("leaf"), "index": count, "leaves": _two(bytes_of(32)), "proofs": _two(_HASHES)}),
})


def _evidence(kind: str, members: dict[str, Check]) -> Check:
    return obj({"ampere": one_of("evidence/v1"), "kind": one_of(kind), "origin": origin, **members})


_FILE = tagged("kind", {
    "heads": _evidence("heads", {**_REGISTRY, "statements": _two(_JWS), "links": arr(_JWS, 512)}),
    "checkpoints": _evidence("checkpoints", {**_LOG, "notes": _two(_NOTE), "contradiction": _CONTRADICTION}),
    "blocks": _evidence("blocks", {**_LOG, "blocks": _two(_JWS), "receipts": _RECEIPTS}),
    "order": _evidence("order", {**_LOG, "blocks": _two(_JWS), "receipts": _RECEIPTS}),
    "labels": _evidence("labels", {**_LOG, "entries": _two(_LOG_ENTRY), "receipts": _RECEIPTS}),
    "leaf-form": _evidence("leaf-form", {**_LOG, "entry": _leaf, "receipt": _up_to(262_144)}),
    "promise": _evidence("promise", {
        **_REGISTRY, **_LOG, "head": _JWS, "block": _JWS,
        "parent": nullable(obj({"block": _JWS, "state": string})), "labelKey": bytes_of(32),
        "from": nullable(obj({"note": _NOTE, "frontier": _HASHES})), "to": _NOTE,
        "entries": arr(_LOG_ENTRY, 65_536),
    }),
})


def parse_evidence(data: bytes) -> dict:
    """Raises Malformed."""
    if len(data) > MAX_FILE_BYTES:
        raise Malformed("a file that is too long")
    return _FILE(parse_canonical(data))
