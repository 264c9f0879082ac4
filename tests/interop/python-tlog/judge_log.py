# SPDX-License-Identifier: Apache-2.0
"""Lets the package aics-tlog judge a log: one line of JSON in, one out.

In: the log's URL, its Ed25519 verifier key; optionally the verifier keys of witnesses that all must have cosigned a
note, that note, and an older size and root that must be a prefix. Out: what it read, or the error that it gave.
"""

import json
import sys
from base64 import b64decode
from hashlib import sha256

from aics_tlog import (
    HttpTileReader,
    VerifiedTileReader,
    audit_tiles,
    consistency_proof_from_tiles,
    inclusion_proof_from_tiles,
    parse_note,
    parse_vkey,
    verify_checkpoint,
    verify_consistency,
    verify_leaf_inclusion,
)


def judge(asked):
    reader = HttpTileReader(asked["url"])
    log_key = parse_vkey(asked["key"])
    witnesses = [parse_vkey(key) for key in asked.get("witnesses", [])]
    text = asked["note"].encode() if "note" in asked else reader.read_checkpoint()
    head = verify_checkpoint(parse_note(text), log_key, witnesses, len(witnesses), expected_origin=log_key.name)
    if not head.ok:
        raise ValueError(head.error)
    audit_tiles(reader, head.size, head.root)
    verified = VerifiedTileReader(reader, head.size, head.root)
    entries = sha256()
    for index in range(head.size):
        entry = verified.entry(index)
        entries.update(entry)
        proof = inclusion_proof_from_tiles(verified, index, head.size)
        if not verify_leaf_inclusion(entry, index, head.size, proof, head.root):
            raise ValueError(f"entry {index} is not included")
    if "older" in asked:
        size, root = asked["older"]["size"], b64decode(asked["older"]["root"])
        proof = consistency_proof_from_tiles(verified, size, head.size)
        if not verify_consistency(size, head.size, root, head.root, proof):
            raise ValueError("the older tree is no prefix")
    return {"size": head.size, "sha256": entries.hexdigest(), "cosigned": sorted(head.witnesses)}


for line in sys.stdin:
    try:
        said = judge(json.loads(line))
    except Exception as error:  # whatever it is, it is what the package says of the log
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)
