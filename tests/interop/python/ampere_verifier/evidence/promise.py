# SPDX-License-Identifier: Apache-2.0
"""Section 12, promise: a block that a home said it holds, and a later tree of its log that lacks it."""

from __future__ import annotations

from ..chain.blocks import Block
from ..errors import Broken, Malformed
from ..forms.encoding import digest, from_base64url, parse_canonical, sha256, time_ms
from ..log.proof import leaf_hash
from ..log.receipts import label_of
from .leaves import opened_entry
from .trust import Heads, Log, SignedTree, opened_block

BROKEN_AFTER_MS, BEFORE_BLOCK_MS = 180_000, 241_000
_EPOCH_MS = time_ms("1970-01-01T00:00:00.000Z")

_Subtree = tuple[int, bytes]


def judge_promise(file: dict, heads: Heads, log: Log) -> None:
    head, block = heads.open(file["head"]), opened_block(file["block"])
    if head["durability"] == "mirrored":
        raise Broken("conflict", "a mirror promises no logging")
    if (block.id, block.chain, block.height) != (head["block"], head["chain"], head["height"]):
        raise Broken("block", "not the block that the statement names")
    key = from_base64url(file["labelKey"])
    if digest(key) != _label_key_hash(block, file["parent"]):
        raise Broken("label-key", "not the label key that the chain names")
    after = log.open(file["to"])
    if min(_times_ms(after)) - time_ms(head["time"]) <= BROKEN_AFTER_MS:
        raise Broken("conflict", "the tree is not late enough")
    before = _opened_start(file["from"], block, log)
    _check_entries(file, before, after)
    label = label_of(key, block.chain, block.height)
    if any(opened_entry(text) == label for text in file["entries"]):
        raise Broken("conflict", "the tree has the block's label")


def _label_key_hash(block: Block, parent: dict | None) -> str:
    """The hash that the block's own chain fixes: in the genesis, else in the state before the block."""
    if (block.type == "genesis") != (parent is None):
        raise Broken("label-key", "the block before is absent, or it is one before a genesis")
    if parent is None:
        return block.body["labelKeyHash"]
    before, state = opened_block(parent["block"]), parent["state"].encode("utf-8")
    if before.id != block.payload["prev"] or digest(state) != before.payload["state"]:
        raise Broken("label-key", "not the block before, or not its state")
    try:
        return parse_canonical(state)["labelKeyHash"]
    except (Malformed, TypeError, KeyError):
        raise Broken("label-key", "a state without the hash of a label key") from None


def _times_ms(tree: SignedTree) -> list[int]:
    """When the log says that it signed, in milliseconds as `time_ms` counts them."""
    if not tree.times:
        raise Broken("time", "no ML-DSA-44 signature of the log states a time")
    return [_EPOCH_MS + 1000 * seconds for seconds in tree.times]


def _opened_start(start: dict | None, block: Block, log: Log) -> SignedTree | None:
    if start is None:
        return None
    tree = log.open(start["note"])
    if time_ms(block.payload["time"]) - max(_times_ms(tree)) <= BEFORE_BLOCK_MS:
        raise Broken("start", "the earlier tree may hold the block")
    return tree


def _check_entries(file: dict, before: SignedTree | None, after: SignedTree) -> None:
    """The entries lead from the earlier tree, or from none, to the later."""
    size = before.size if before else 0
    subtrees: list[_Subtree] = []
    if before is not None:
        subtrees = _frontier(size, file["from"]["frontier"])
        if _root(subtrees) != before.root:
            raise Broken("proof", "the frontier does not lead to its tree")
    if size + len(file["entries"]) != after.size:
        raise Broken("proof", "not as many entries as the later tree has more")
    for text in file["entries"]:
        _append(subtrees, (1, leaf_hash(from_base64url(text))))
    if _root(subtrees) != after.root:
        raise Broken("proof", "the entries do not lead to the later tree")


def _frontier(size: int, hashes: list[str]) -> list[_Subtree]:
    """The complete subtrees of a tree of this size, the largest first."""
    widths = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
    if len(widths) != len(hashes):
        raise Broken("proof", "a frontier of another tree")
    return list(zip(widths, (from_base64url(text) for text in hashes)))


def _append(subtrees: list[_Subtree], subtree: _Subtree) -> None:
    while subtrees and subtrees[-1][0] == subtree[0]:
        width, left = subtrees.pop()
        subtree = (2 * width, sha256(b"\x01" + left + subtree[1]))
    subtrees.append(subtree)


def _root(subtrees: list[_Subtree]) -> bytes:
    """RFC 6962 section 2.1: of no leaves the hash of nothing, else the subtrees joined from the right."""
    if not subtrees:
        return sha256(b"")
    root = subtrees[-1][1]
    for _, left in reversed(subtrees[:-1]):
        root = sha256(b"\x01" + left + root)
    return root
