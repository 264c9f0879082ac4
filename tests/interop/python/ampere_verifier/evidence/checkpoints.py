# SPDX-License-Identifier: Apache-2.0
"""Section 12, checkpoints: two trees of one log of which neither continues the other."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import from_base64url, sha256
from ..log.proof import is_included
from .trust import Log, SignedTree


def judge_checkpoints(file: dict, log: Log) -> None:
    trees = [log.open(note) for note in file["notes"]]
    _JUDGES[file["contradiction"]["how"]](trees, file["contradiction"])


def _judge_root(trees: list[SignedTree], _: dict) -> None:
    if trees[0].size != trees[1].size or trees[0].root == trees[1].root:
        raise Broken("conflict", "the trees are of two sizes, or have one root")


def _judge_prefix(trees: list[SignedTree], contradiction: dict) -> None:
    smaller, larger = sorted(trees, key=lambda tree: tree.size)
    hashes = [from_base64url(text) for text in contradiction["hashes"]]
    if not 1 <= smaller.size < larger.size or not hashes:
        raise Broken("proof", "no consistency proof is between these sizes")
    prefix, whole = consistent_roots(smaller.size, larger.size, hashes)
    if whole != larger.root:
        raise Broken("proof", "the proof does not lead to the larger tree")
    if prefix == smaller.root:
        raise Broken("conflict", "the larger tree continues the smaller")


def _judge_leaf(trees: list[SignedTree], contradiction: dict) -> None:
    leaves = [from_base64url(text) for text in contradiction["leaves"]]
    for tree, leaf, proof in zip(trees, leaves, contradiction["proofs"]):
        hashes = tuple(from_base64url(text) for text in proof)
        if not is_included(leaf, contradiction["index"], tree.size, hashes, tree.root):
            raise Broken("proof", "a leaf that is not at the index")
    if leaves[0] == leaves[1]:
        raise Broken("conflict", "both trees have one leaf there")


_JUDGES = {"root": _judge_root, "prefix": _judge_prefix, "leaf": _judge_leaf}


def consistent_roots(first: int, second: int, hashes: list[bytes]) -> tuple[bytes, bytes]:
    """RFC 9162 section 2.1.4.2: the roots to which a proof leads for both sizes. The file has the root that step 2 of
    the algorithm puts before the proof."""
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    prefix = whole = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            raise Broken("proof", "a proof that is too long")
        if node & 1 or node == last:
            prefix, whole = sha256(b"\x01" + hash_ + prefix), sha256(b"\x01" + hash_ + whole)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            whole = sha256(b"\x01" + whole + hash_)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise Broken("proof", "a proof that is too short")
    return prefix, whole
