# SPDX-License-Identifier: Apache-2.0
"""Section 5, the shapes of blocks and approvals, and section 6, `entries`."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Malformed
from ..forms.jws import Statement, parse_statement
from ..forms.shapes import (HEAD, JWK, arr, boolean, bytes_of, count, count_in, digest_text, id16, jws_text,
                            name, nullable, obj, one_of, origin, sealing_key, sorted_arr, sorted_by, tagged,
                            timestamp)

MAX_OBJECT_BYTES = 268_435_456

_MEMBER = tagged("kind", {
    "institution": obj({"kind": one_of("institution"), "institution": name}),
    "device": obj({"kind": one_of("device"), "kid": digest_text, "jwk": JWK, "sealing": sealing_key}),
})
_CONTROLLERS = obj({"threshold": count_in(1, 16), "members": arr(_MEMBER, 16, least=1)})
_KEYS = sorted_by(lambda key: key["id"], arr(obj({"id": id16, "key": sealing_key}), 16, least=1))
_APPROVALS = arr(jws_text, 34)
_COMPARTMENTS = sorted_arr(id16, 16, least=1)
_GRANT = obj({
    "institution": name, "rights": sorted_arr(one_of("append", "hold", "read"), 3, least=1),
    "compartments": _COMPARTMENTS, "until": nullable(timestamp),
    "limits": nullable(obj({"blocksPerDay": count, "bytesPerDay": count})),
})
_ENTRIES = obj({
    "count": count_in(1, 4096), "bytes": count_in(0, MAX_OBJECT_BYTES), "root": digest_text,
    "keys": digest_text, "epoch": count_in(1, 2**53 - 1), "compartments": _COMPARTMENTS,
    "batch": nullable(obj({"id": id16, "index": count, "last": boolean})),
})
_TARGETS = arr(obj({"height": count, "ids": sorted_arr(id16, 4096, least=1)}), 512)


def _ascending_targets(value: list) -> list:
    heights = [target["height"] for target in _TARGETS(value)]
    if any(a >= b for a, b in zip(heights, heights[1:])):
        raise Malformed("not ascending by height")
    return value


_EPOCH = obj({"compartments": _KEYS, "labelKeyHash": digest_text, "cut": boolean})
_HOME = obj({"deployment": name, "origin": origin})
_GENESIS_BODY = obj({
    "nonce": bytes_of(32), "purpose": one_of("record", "access"), "of": nullable(digest_text),
    "registry": digest_text, "home": _HOME,
    "controllers": _CONTROLLERS, "compartments": _KEYS, "labelKeyHash": digest_text, "approvals": _APPROVALS,
})
_CONTROL_BODY = obj({
    "act": one_of("change", "rotate"),
    "grants": obj({"put": sorted_by(lambda grant: grant["institution"], arr(_GRANT, 256)),
                   "remove": sorted_arr(name, 256)}),
    "controllers": nullable(_CONTROLLERS),
    "epoch": nullable(_EPOCH),
    "packages": nullable(digest_text), "hold": nullable(boolean), "access": nullable(digest_text),
    "recovery": nullable(_CONTROLLERS), "approvals": _APPROVALS,
}, optional=("recovery",))
_ERASE_BODY = obj({
    "act": one_of("request", "complete", "cancel"), "request": nullable(count),
    "scope": one_of("entries", "record"), "targets": _ascending_targets,
    "ground": one_of("patient-request", "misfiled", "legal-duty", "consent-withdrawn"),
    "notBefore": timestamp, "approvals": _APPROVALS,
})
_REHOME_BODY = obj({"home": _HOME, "from": _HOME, "approvals": _APPROVALS})
_RECOVER_BODY = obj({
    "act": one_of("request", "complete", "cancel"), "request": nullable(count),
    "controllers": _CONTROLLERS, "recovery": nullable(_CONTROLLERS), "epoch": nullable(_EPOCH),
    "packages": nullable(digest_text), "notBefore": timestamp, "approvals": _APPROVALS,
})
_COMMON = {"v": one_of(1), "height": count, "time": timestamp, "registry": HEAD, "state": digest_text,
           "op": id16}
_LATER = {**_COMMON, "chain": digest_text, "prev": digest_text}
_BLOCK = tagged("type", {
    "genesis": obj({**_COMMON, "type": one_of("genesis"), "entries": one_of(None), "body": _GENESIS_BODY}),
    "record": obj({**_LATER, "type": one_of("record"), "entries": _ENTRIES, "body": obj({})}),
    "control": obj({**_LATER, "type": one_of("control"), "entries": one_of(None), "body": _CONTROL_BODY}),
    "erase": obj({**_LATER, "type": one_of("erase"), "entries": one_of(None), "body": _ERASE_BODY}),
    "rehome": obj({**_LATER, "type": one_of("rehome"), "entries": one_of(None), "body": _REHOME_BODY}),
    "recover": obj({**_LATER, "type": one_of("recover"), "entries": one_of(None), "body": _RECOVER_BODY}),
})
_APPROVAL = obj({"chain": digest_text, "seq": count, "action": digest_text, "expires": timestamp},
                optional=("chain",))


@dataclass(frozen=True)
class Block:
    """A block of the right form, with its approvals; signatures are not checked yet."""

    statement: Statement
    approvals: tuple[Statement, ...]

    @property
    def id(self) -> str:
        return self.statement.id

    @property
    def kid(self) -> str:
        return self.statement.kid

    @property
    def payload(self) -> dict:
        return self.statement.payload

    @property
    def type(self) -> str:
        return self.payload["type"]

    @property
    def height(self) -> int:
        return self.payload["height"]

    @property
    def body(self) -> dict:
        return self.payload["body"]

    @property
    def entries(self) -> dict | None:
        return self.payload["entries"]

    @property
    def chain(self) -> str:
        """The chain that it belongs to; a genesis's own id."""
        return self.id if self.type == "genesis" else self.payload["chain"]


def parse_block(jws: str) -> Block:
    statement = parse_statement(jws, "ampere-block+jws")
    payload = _BLOCK(statement.payload)
    if (payload["type"] == "genesis") != (payload["height"] == 0):
        raise Malformed("genesis and height 0 belong together")
    approvals = [parse_statement(text, "ampere-approval+jws") for text in payload["body"].get("approvals", [])]
    for approval in approvals:
        _APPROVAL(approval.payload)
    return Block(statement, tuple(approvals))
