# SPDX-License-Identifier: Apache-2.0
"""Section 12: whether a file convinces who pins a registry, keys of a log, or both."""

from __future__ import annotations

from typing import Iterable

from ..errors import Broken, Malformed, Refused
from ..log.keys import VerifierKey, parse_verifier_key
from ..log.receipts import log_origin
from .checkpoints import judge_checkpoints
from .form import KINDS_WITH_LOG, KINDS_WITH_REGISTRY, parse_evidence
from .heads import judge_heads
from .leaves import judge_blocks, judge_labels, judge_leaf_form, judge_order
from .promise import judge_promise
from .trust import pinned_heads, pinned_log

_JUDGES = {"heads": judge_heads, "checkpoints": judge_checkpoints, "blocks": judge_blocks, "order": judge_order,
           "labels": judge_labels, "leaf-form": judge_leaf_form, "promise": judge_promise}


def judge(file: dict, registry: str | None, log: Iterable[str]) -> None:
    """Refuses a file of the right form that does not convince."""
    needs_registry, needs_log = file["kind"] in KINDS_WITH_REGISTRY, file["kind"] in KINDS_WITH_LOG
    if (needs_registry and registry is None) or (needs_log and not log):
        raise Refused("CONFIGURATION", "nothing of the sort that this kind needs is pinned")
    try:
        trusted = []
        if needs_registry:
            trusted.append(pinned_heads(file, registry))
        if needs_log:
            origin = log_origin(file["origin"]) if needs_registry else file["origin"]
            trusted.append(pinned_log(file, origin, _read_pins(log)))
        _JUDGES[file["kind"]](file, *trusted)
    except Broken as error:
        raise Refused("VERIFICATION_FAILED", str(error), error.rule) from None


def _read_pins(texts: Iterable[str]) -> list[VerifierKey]:
    try:
        return [parse_verifier_key(text.encode("utf-8")) for text in texts]
    except Malformed as error:
        raise Refused("CONFIGURATION", f"a pin: {error}") from None


def report(data: bytes, registry: str | None = None, log: Iterable[str] = ()) -> dict:
    """What `verify_evidence.py` prints of a file, judged by the pinned registry id and the pinned verifier keys."""
    said = {"convinces": False, "kind": None, "code": None, "rule": None}
    try:
        file = parse_evidence(data)
        said["kind"] = file["kind"]
        judge(file, registry, log)
    except Malformed as error:
        return {**said, "code": "EVIDENCE_MALFORMED", "message": str(error)}
    except Refused as error:
        return {**said, "code": error.code, "rule": error.rule, "message": str(error)}
    return {**said, "convinces": True}
