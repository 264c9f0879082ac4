#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges pieces of a log that are not in a file (docs/PROTOCOL.md, section 11).

Reads a JSON array of questions and prints a JSON array of answers, in order; false or null is what does not hold.

    {"policy": TEXT}                                              is it a policy?
    {"vkey": TEXT}                                                is it a verifier key? its key id
    {"mldsa": {"public", "message", "signature", "context"}}      is the signature valid? all in hexadecimal
    {"inclusion": {"leaf", "index", "size", "hashes", "root"}}    is the leaf's hash there? all hashes in base64
    {"proof": TEXT, "entry": HEX, "policy": TEXT}                 is it a proof of the entry under the policy?
    {"checkpoint": TEXT, "policy": TEXT, "log": ORIGIN}           what it says, and whether it is witnessed
    {"export": PATH, "registry": ID, "policy": TEXT}              what verify_export.py says of the file
    {"evidence": BASE64, "registry": ID | null, "log": [VKEY]}    what verify_evidence.py says of the file, by its pins
    {"subtree": {"vkey", "origin", "start", "end", "hash"}, "line": TEXT}   does the cosignature verify?
"""

from __future__ import annotations

import json
import sys

from ampere_verifier.errors import BadSignature, Malformed, Refused
from ampere_verifier.evidence.judge import report
from ampere_verifier.export import verify
from ampere_verifier.forms.encoding import from_base64
from ampere_verifier.forms.mldsa import is_valid
from ampere_verifier.log.keys import check_message, parse_verifier_key, subtree_message
from ampere_verifier.log.note import parse_checkpoint, parse_signature
from ampere_verifier.log.policy import parse_policy
from ampere_verifier.log.proof import is_included, leaf_hash, parse_proof
from ampere_verifier.log.receipts import Opener


def _policy(asked: dict) -> bool:
    parse_policy(asked["policy"].encode("utf-8"))
    return True


def _vkey(asked: dict) -> str:
    return parse_verifier_key(asked["vkey"].encode("utf-8")).id.hex()


def _mldsa(asked: dict) -> bool:
    parts = [bytes.fromhex(asked["mldsa"][part]) for part in ("public", "message", "signature", "context")]
    return is_valid(*parts)


def _inclusion(asked: dict) -> bool:
    given = asked["inclusion"]
    leaf, root, *hashes = (from_base64(text, 32) for text in (given["leaf"], given["root"], *given["hashes"]))
    return is_included(leaf, given["index"], given["size"], tuple(hashes), root)


def _proof(asked: dict) -> bool:
    proof = parse_proof(asked["proof"])
    opener = Opener(parse_checkpoint(proof.checkpoint).origin, parse_policy(asked["policy"].encode("utf-8")))
    opened = opener.checkpoint(proof.checkpoint)
    leaf = leaf_hash(bytes.fromhex(asked["entry"]))
    return opened is not None and is_included(leaf, proof.index, opened.checkpoint.size, proof.hashes,
                                              opened.checkpoint.root)


def _checkpoint(asked: dict) -> dict | None:
    opener = Opener(asked["log"], parse_policy(asked["policy"].encode("utf-8")))
    opened = opener.checkpoint(asked["checkpoint"])
    return opened and {"size": opened.checkpoint.size, "isWitnessed": opened.is_witnessed, "latest": opened.latest}


def _export(asked: dict) -> dict:
    policy = parse_policy(asked["policy"].encode("utf-8"))
    with open(asked["export"], "rb") as file:
        data = file.read()
    try:
        return verify(data, asked["registry"], None, policy)
    except Refused as error:
        return error.report()


def _evidence(asked: dict) -> dict:
    return report(from_base64(asked["evidence"]), asked["registry"], asked["log"])


def _subtree(asked: dict) -> bool:
    given, line = asked["subtree"], parse_signature(asked["line"])
    key = parse_verifier_key(given["vkey"].encode("utf-8"))
    time = int.from_bytes(line.signature[:8], "big")
    message = subtree_message(key.name, time, given["origin"], given["start"], given["end"],
                              from_base64(given["hash"], 32))
    check_message(key.kind, key.public, line.signature[8:], message)
    return (line.name, line.key_id) == (key.name, key.id)


_ANSWERS = {"export": _export, "proof": _proof, "checkpoint": _checkpoint, "subtree": _subtree, "policy": _policy, "vkey": _vkey,
            "evidence": _evidence, "mldsa": _mldsa, "inclusion": _inclusion}


def _answer(asked: dict):
    try:
        return next(answer(asked) for name, answer in _ANSWERS.items() if name in asked)
    except (Malformed, BadSignature):
        return False


print(json.dumps([_answer(asked) for asked in json.load(sys.stdin)]))
