# SPDX-License-Identifier: Apache-2.0
"""c2sp.org/tlog-proof, and inclusion proofs of RFC 6962 section 2.1.1 (verified as in RFC 9162, section 2.1.3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Malformed
from ..forms.encoding import from_base64, sha256
from .note import MAX_NOTE_BYTES, parse_decimal

_FIRST = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_BYTES = 2 * MAX_NOTE_BYTES


@dataclass(frozen=True)
class Proof:
    """A proof; `checkpoint` is the signed note that it ends with."""

    extra: bytes | None
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str


def parse_proof(text: str) -> Proof:
    if len(text.encode("utf-8")) > MAX_BYTES:
        raise Malformed("a tlog-proof that is too long")
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != _FIRST:
        raise Malformed("not a tlog-proof")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0)[len("extra "):])
    if not lines or not lines[0].startswith("index "):
        raise Malformed("a tlog-proof without an index")
    index = parse_decimal(lines.pop(0)[len("index "):])
    if len(lines) > MAX_HASHES:
        raise Malformed("more hashes than a tree is high")
    return Proof(extra, index, tuple(from_base64(line, 32) for line in lines), checkpoint)


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def is_included(leaf: bytes, index: int, size: int, hashes: tuple[bytes, ...], root: bytes) -> bool:
    """Whether the leaf of this hash stands at the index in the tree of this size and root."""
    if index >= size:
        return False
    node, last, result = index, size - 1, leaf
    for hash_ in hashes:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = sha256(b"\x01" + hash_ + result)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            result = sha256(b"\x01" + result + hash_)
        node, last = node >> 1, last >> 1
    return last == 0 and result == root
