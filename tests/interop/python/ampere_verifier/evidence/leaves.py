# SPDX-License-Identifier: Apache-2.0
"""Section 12, blocks, order and labels: what one log may not hold together; leaf-form: what it may not hold at all."""

from __future__ import annotations

from ..errors import Broken, Malformed
from ..forms.encoding import from_base64url, sha256
from ..log.proof import Proof, is_included, leaf_hash, parse_proof
from ..log.receipts import LABEL_BYTES
from .trust import Log, opened_block

ENTRY_VERSION, ENTRY_BYTES = b"\x01", 65


def opened_entry(text: str) -> bytes:
    """The label of a log entry, whose length its form states."""
    entry = from_base64url(text)
    if entry[:1] != ENTRY_VERSION:
        raise Broken("form", "not a log entry")
    return entry[1:1 + LABEL_BYTES]


def judge_blocks(file: dict, log: Log) -> None:
    one, other = (opened_block(jws) for jws in file["blocks"])
    if (one.chain, one.height) != (other.chain, other.height):
        raise Broken("conflict", "not two blocks of one chain and height")
    _indexes(file, log)
    if one.id == other.id:
        raise Broken("conflict", "one block")


def judge_order(file: dict, log: Log) -> None:
    blocks = [opened_block(jws) for jws in file["blocks"]]
    if blocks[0].chain != blocks[1].chain:
        raise Broken("conflict", "blocks of two chains")
    heights = [block.height for block in blocks]
    (lower, before), (higher, after) = sorted(zip(heights, _indexes(file, log)))
    if lower == higher or after >= before:
        raise Broken("conflict", "the blocks are in order, or of one height")


def judge_labels(file: dict, log: Log) -> None:
    labels = [opened_entry(text) for text in file["entries"]]
    if labels[0] != labels[1]:
        raise Broken("conflict", "two labels")
    proofs = [_opened(text) for text in file["receipts"]]
    for proof, entry in zip(proofs, file["entries"]):
        _check(proof, from_base64url(entry), log)
    if proofs[0].index == proofs[1].index:
        raise Broken("conflict", "one index")


def judge_leaf_form(file: dict, log: Log) -> None:
    entry = from_base64url(file["entry"])
    if len(entry) == ENTRY_BYTES and entry[:1] == ENTRY_VERSION:
        raise Broken("conflict", "a log entry")
    _check(_opened(file["receipt"]), entry, log)


def _indexes(file: dict, log: Log) -> list[int]:
    """Where the receipts prove the blocks to be."""
    proofs = [_opened(text) for text in file["receipts"]]
    for proof, jws in zip(proofs, file["blocks"]):
        if proof.extra is None or len(proof.extra) != LABEL_BYTES:
            raise Broken("proof", "a receipt without a label")
        _check(proof, ENTRY_VERSION + proof.extra + sha256(jws.encode("ascii")), log)
    return [proof.index for proof in proofs]


def _opened(text: str) -> Proof:
    try:
        return parse_proof(text)
    except Malformed as error:
        raise Broken("form", f"a receipt: {error}") from None


def _check(proof: Proof, entry: bytes, log: Log) -> None:
    tree = log.open(proof.checkpoint)
    if not is_included(leaf_hash(entry), proof.index, tree.size, proof.hashes, tree.root):
        raise Broken("proof", "a log entry that is not at the index")
