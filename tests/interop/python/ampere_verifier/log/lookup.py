# SPDX-License-Identifier: Apache-2.0
"""Section 13: what monitors say of the block after the last one, and as of when a record is complete by that."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..chain.fold import Chain
from ..errors import BadSignature, Malformed
from ..forms.encoding import from_base64url, sha256, to_base64url
from ..forms.jws import parse_statement
from ..forms.shapes import count, digest_text, nullable, obj, one_of, text_of, timestamp
from ..lines import Export, Lookup
from ..shown import Shown
from .judge import LogFinding
from .policy import Policy
from .proof import is_included, leaf_hash, parse_proof
from .receipts import EPOCH_MS, Opener, label_of, log_origin

MAX_CHARACTERS = 8192
_STATEMENT = obj({"v": one_of(1), "origin": text_of(255), "size": count, "root": digest_text, "label": digest_text,
                  "index": nullable(count), "time": timestamp})


@dataclass(frozen=True)
class Monitors:
    """The monitors that a verifier pins, and how many of them must agree."""

    origins: tuple[str, ...]
    need: int


@dataclass
class Judge:
    """Judges the answers in one file."""

    export: Export
    chain: Chain
    opener: Opener
    head: LogFinding
    label: bytes
    now_ms: int

    def word(self, origin: str) -> dict:
        """What the monitor at an origin says; whatever is wrong with that, it has failed."""
        answer = self.export.lookups.get(origin)
        try:
            if answer is None:
                raise Malformed("no answer")
            statement = self._statement(origin, answer)
            says, seen = self._said(statement, answer)
        except (Malformed, BadSignature):
            return {"origin": origin, "says": "failed", "tree": None, "seenMs": None}
        tree = {"size": statement["size"], "root": statement["root"]}
        return {"origin": origin, "says": says, "tree": tree, "seenMs": seen}

    def _statement(self, origin: str, answer: Lookup) -> dict:
        """Step 3, of the statement alone."""
        statement = parse_statement(answer.jws, "ampere-lookup+jws", MAX_CHARACTERS)
        said = _STATEMENT(statement.payload)
        key = self.chain.registry.newest.head_key(statement.kid, origin)
        if key is None:
            raise BadSignature("not by an unrevoked key of the deployment at the origin")
        statement.verify(key)
        if said["origin"] != self.opener.log or from_base64url(said["label"]) != self.label:
            raise Malformed("about another log or label")
        if said["index"] is not None and said["index"] >= said["size"]:
            raise Malformed("an index beyond its tree")
        return said

    def _said(self, said: dict, answer: Lookup) -> tuple[str, int | None]:
        """Steps 3 to 6, of the checkpoint and the proof."""
        note = self.export.checkpoints[answer.under]
        opened = self.opener.checkpoint(note)
        if opened is None:
            raise BadSignature("a checkpoint that does not verify")
        if (opened.checkpoint.size, opened.checkpoint.root) != (said["size"], from_base64url(said["root"])):
            raise Malformed("a checkpoint of another tree")
        if (answer.found is None) != (said["index"] is None):
            raise Malformed("a proof without an index, or the reverse")
        since = self.opener.policy.since(opened.times, (self.now_ms - EPOCH_MS) // 1000)
        seen = None if since is None else since * 1000
        if answer.found is not None:
            self._check_found(said["index"], answer.found, note)
            return "present", seen
        receipt = self.head.receipt
        is_held = receipt is not None and receipt.is_witnessed and receipt.index < said["size"]
        return ("absent" if seen is not None and is_held else "unusable"), seen

    def _check_found(self, index: int, found: dict, note: str) -> None:
        proof = parse_proof(found["receipt"] + note)
        if proof.checkpoint != note or proof.index != index or proof.extra != self.label:
            raise Malformed("a proof of another leaf")
        tree = self.opener.checkpoint(note).checkpoint
        leaf = leaf_hash(b"\x01" + self.label + from_base64url(found["hash"], 32))
        if not is_included(leaf, index, tree.size, proof.hashes, tree.root):
            raise Malformed("a proof that does not verify")


def judge_lookups(export: Export, chain: Chain, logged: list[LogFinding] | None, policy: Policy | None,
                  monitors: Monitors | None, now_ms: int, shown: Shown) -> dict:
    """As of when the record is complete, in milliseconds since 1970, or why that is not known; `now_ms` is since the year 0."""
    height = chain.blocks[-1].height

    def answer(why: str | None, words: list[dict] = [], as_of: int | None = None) -> dict:
        return {"height": height, "asOfMs": as_of, "why": why, "words": words, "forked": is_forked}

    is_forked = False

    home = export.first["origin"]
    origins = [origin for origin in dict.fromkeys(monitors.origins if monitors else ()) if origin != home]
    if monitors is None or not origins:
        return answer("no-monitor")
    if policy is None or policy.quorum is None or logged is None:
        return answer("no-quorum")
    if not any(origin in export.lookups for origin in origins):
        return answer("no-lookup")
    if export.label_key is None or to_base64url(sha256(export.label_key)) != chain.states[-1]["labelKeyHash"]:
        return answer("no-label-key")
    label = label_of(export.label_key, chain.id, height + 1)
    judge = Judge(export, chain, Opener(log_origin(home), policy), logged[-1], label, now_ms)
    words = [judge.word(origin) for origin in origins]
    log, trees = log_origin(home), [word["tree"] for word in words if word["tree"]]
    for tree in trees:
        shown.add_tree(log, tree["size"], from_base64url(tree["root"]))
    is_forked = any(shown.is_split(log, tree["size"]) for tree in trees)
    if any(word["says"] == "present" for word in words):
        return answer("withheld", words)
    if is_forked:
        return answer("forked", words)
    receipt = logged[-1].receipt
    if receipt is None or not receipt.is_witnessed:
        return answer("head-not-witnessed", words)
    times = sorted((word["seenMs"] for word in words if word["says"] == "absent"), reverse=True)
    if len(times) < monitors.need:
        return answer("too-few", words)
    return answer(None, words, min(times[monitors.need - 1], now_ms - EPOCH_MS))


def parse_monitors(data: bytes) -> Monitors:
    """The form of `monitors.json`: {origins, need}. Raises Malformed."""
    try:
        value = json.loads(data)
        origins, need = value["origins"], value["need"]
    except (ValueError, KeyError, TypeError):
        raise Malformed("not {origins, need}") from None
    is_text = isinstance(origins, list) and all(isinstance(origin, str) for origin in origins)
    if not is_text or type(need) is not int or not 1 <= need <= len(set(origins)):
        raise Malformed("not origins, and how many of them")
    return Monitors(tuple(origins), need)
