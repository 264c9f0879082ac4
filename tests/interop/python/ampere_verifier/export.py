# SPDX-License-Identifier: Apache-2.0
"""Section 8, Export file: how it is verified."""

from __future__ import annotations

from .chain.fold import Chain
from .errors import BadSignature, Malformed, Refused, code_of
from .forms.encoding import time_ms
from .forms.jws import Statement, parse_statement
from .forms.shapes import HEAD, count, digest_text, obj, one_of, string, timestamp
from .lines import Export, read_export
from .log.judge import LogFinding, judge_log
from .log.lookup import Monitors, judge_lookups
from .log.policy import Policy
from .parts.erasures import MAX_CHARACTERS, Erasure, completed_erasures, take_statement
from .parts.status import Judgement, broken_batches, judge_parts
from .registry.fold import Registry
from .shown import Shown

_HEAD = obj({"v": one_of(1), "chain": digest_text, "height": count, "block": digest_text, "registry": HEAD,
             "time": timestamp, "origin": string, "durability": one_of("local", "region", "mirrored")})


def parse_head(jws: str) -> tuple[Statement, dict]:
    """Section 7: a head statement of the right form, and what it says."""
    statement = parse_statement(jws, "ampere-head+jws", MAX_CHARACTERS)
    return statement, _HEAD(statement.payload)


def fold_registry(export: Export, pinned: str | None) -> Registry:
    """Step 2."""
    if pinned is not None and export.first["registry"] != pinned:
        raise Refused("VERIFICATION_FAILED", "another registry than the pinned one", "registry")
    registry = Registry(export.first["registry"])
    for jws in export.registry_blocks:
        registry.add(jws)
    if not registry.ids:
        raise Refused("VERIFICATION_FAILED", "the file holds no registry", "registry")
    return registry


def check_head(export: Export, chain: Chain) -> dict:
    """Step 4."""
    origin = export.first["origin"]

    def failed(message: str) -> Refused:
        return Refused("VERIFICATION_FAILED", f"head statement: {message}", "head")

    if chain.blocks and chain.states[-1]["home"]["origin"] != origin:
        raise Refused("VERIFICATION_FAILED", "the file is not by the home that the chain names", "home")
    try:
        statement, head = parse_head(export.heads[0])
        key = chain.registry.newest.head_key(statement.kid, origin)
        if key is None:
            raise failed("not by an unrevoked key of the deployment at the origin")
        statement.verify(key)
    except (Malformed, BadSignature) as error:
        raise Refused(code_of(error, "REQUEST_MALFORMED"), f"head statement: {error}") from None
    last = chain.blocks[-1] if chain.blocks else None
    if head["origin"] != origin:
        raise failed("of another origin")
    if head["durability"] == "mirrored":
        raise failed("that of a mirror")
    if last is None or (head["chain"], head["height"], head["block"]) != (chain.id, last.height, last.id):
        raise failed("it does not name the last block")
    return head


# What parsers say of a part that is not as it was made.
BROKEN = {"KEY_MALFORMED", "LOG_MALFORMED", "REQUEST_MALFORMED"}


def verify(data: bytes, pinned: str | None = None, now: str | None = None, policy: Policy | None = None,
           monitors: Monitors | None = None, shown: Shown | None = None) -> dict:
    """All steps, in order. Refuses the file, or reports what it shows; `now` is a timestamp, `shown` what other files did."""
    try:
        return _verify(data, pinned, now, policy, monitors, shown or Shown())
    except Refused as error:
        if error.code not in BROKEN:
            raise
        raise Refused("VERIFICATION_FAILED", str(error), "export-part") from None


def _verify(data: bytes, pinned: str | None, now: str | None, policy: Policy | None, monitors: Monitors | None,
            shown: Shown) -> dict:
    export = read_export(data)
    registry = fold_registry(export, pinned)
    chain = Chain(export.first["chain"], registry)
    for jws in export.blocks:
        chain.add(jws)
    head = check_head(export, chain)
    now_ms = time_ms(now or head["time"])
    erasures = completed_erasures(chain)
    for jws in export.erased:
        take_statement(jws, chain, erasures)
    logged = judge_log(export, chain, policy, time_ms(head["time"]), shown) if policy else None
    found = judge_blocks(export, chain, erasures, logged, now_ms)
    complete = judge_lookups(export, chain, logged, policy, monitors, now_ms, shown)
    for block, judgement in zip(chain.blocks, found):
        if shown.is_forked(chain.id, block.height, block.id):
            judgement.find("forked", "two-blocks")
    if complete.pop("forked") and ("forked", "split-view") not in (logged[-1].problems if logged else []):
        split = [{"height": complete["height"], "status": "forked", "rule": "split-view"}]
    else:
        split = []
    return {
        **{member: export.first[member] for member in ("chain", "registry", "origin")},
        "blocks": len(chain.blocks),
        "entries": sum(block.entries["count"] for block in chain.blocks if block.entries),
        "erased": sum(judgement.erased for judgement in found),
        "asOf": head["time"],
        "statuses": [judgement.status for judgement in found],
        "erasures": [erasure.report(now_ms) for erasure in erasures],
        "receipts": len(export.receipts),
        "log": logged and {"statuses": [finding.status for finding in logged],
                           "receipts": [finding.receipt and finding.receipt.report() for finding in logged]},
        "complete": complete,
        "problems": [problem for judgement in found for problem in judgement.problems] + split + withheld_from(complete),
    }


def withheld_from(complete: dict) -> list[dict]:
    """Step 8: the block that a monitor has and the file has not."""
    if complete["why"] != "withheld":
        return []
    return [{"height": complete["height"] + 1, "status": "missing", "rule": "withheld"}]


def judge_blocks(export: Export, chain: Chain, erasures: list[Erasure], logged: list[LogFinding] | None,
                 now_ms: int) -> list[Judgement]:
    """Steps 5 to 7 together, by height."""
    open_batches, found = broken_batches(chain.blocks), []
    for block in chain.blocks:
        named = block.entries or {"root": "", "keys": ""}
        row = export.rows.get(f"{named['root']}.{named['keys']}")
        judgement = judge_parts(block, row, export.objects.get(named["root"]), erasures, now_ms)
        if block.height in open_batches:
            judgement.statuses.append("incomplete")
        finding = logged[block.height] if logged else LogFinding("promised")
        judgement.statuses.append(finding.status)
        for status, check in finding.problems:
            judgement.find(status, check)
        found.append(judgement)
    return found
