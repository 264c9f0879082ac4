# SPDX-License-Identifier: Apache-2.0
"""Section 6, key row and object: what a block's parts hold, if they are what the block names."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Malformed
from ..forms.encoding import canonical, digest, from_base64url, merkle_root, parse_canonical, sha256
from ..forms.shapes import arr, bytes_of, count, digest_text, either, id16, obj, one_of, sorted_by

OBJECT_PREFIX = b"ampere-object/v1\n"

_ROW = obj({
    "v": one_of(1),
    "envelopes": sorted_by(lambda envelope: envelope["compartment"], arr(
        obj({"compartment": id16, "epoch": count, "sealed": bytes_of(1168)}), 16, least=1)),
    "keys": arr(either(obj({"wrapped": bytes_of(40)}), obj({"erased": digest_text, "hash": digest_text})),
                4096, least=1),
})
_DESCRIPTORS = arr(obj({"v": one_of(1), "id": id16, "compartment": id16, "size": count,
                        "hash": digest_text}), 4096, least=1)


def read_row(text: str, entries: dict) -> list[bool] | None:
    """Per key whether it is a tombstone; None where the row is not the one that the block names."""
    try:
        row = _ROW(parse_canonical(text.encode("utf-8")))
    except (Malformed, UnicodeEncodeError):
        return None
    leaves = [sha256(from_base64url(envelope["sealed"])) for envelope in row["envelopes"]]
    leaves += [sha256(from_base64url(key["wrapped"])) if "wrapped" in key else from_base64url(key["hash"])
               for key in row["keys"]]
    fits = ([envelope["compartment"] for envelope in row["envelopes"]] == entries["compartments"]
            and all(envelope["epoch"] == entries["epoch"] for envelope in row["envelopes"]))
    if not fits or merkle_root(leaves) != entries["keys"]:
        return None
    return ["erased" in key for key in row["keys"]]


@dataclass(frozen=True)
class Object:
    """The ids of an object's entries, and the indexes of ciphertexts that differ from their descriptors."""

    ids: list[str]
    spoiled: list[int]


def read_object(data: bytes, entries: dict) -> Object | None:
    """None where the object is malformed or its descriptors are not those that the block names."""
    start = len(OBJECT_PREFIX) + 4
    if len(data) < start or not data.startswith(OBJECT_PREFIX):
        return None
    offset = start + int.from_bytes(data[start - 4:start], "big")
    if offset > len(data):
        return None
    try:
        descriptors = _DESCRIPTORS(parse_canonical(data[start:offset]))
    except Malformed:
        return None
    if merkle_root(canonical(descriptor) for descriptor in descriptors) != entries["root"]:
        return None
    spoiled = []
    for index, descriptor in enumerate(descriptors):
        end = offset + descriptor["size"]
        if digest(data[offset:end]) != descriptor["hash"]:
            spoiled.append(index)
        offset = end
    return Object([descriptor["id"] for descriptor in descriptors], spoiled)
