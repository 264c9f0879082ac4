# SPDX-License-Identifier: Apache-2.0
"""Section 8, step 7: what the log says of each block."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..chain.authority import device_kids
from ..chain.blocks import Block
from ..chain.fold import Chain
from ..chain.state import grant_of
from ..errors import Refused
from ..forms.encoding import from_base64url, time_ms
from ..lines import Export
from ..shown import Shown
from .policy import AHEAD_SECONDS, Policy
from .delays import unseen_delays
from .receipts import EPOCH_MS, BadReceipt, Opener, Receipt, label_of, log_origin

DUE_MS = 180_000
DATED_AHEAD_MS = 240_000
BEFORE_BLOCK_MS = 241_000


@dataclass
class LogFinding:
    """What the log says of one block, and what is wrong with that: pairs of a status and a check. `named` are the receipts
    that verify of those that the block names."""

    status: str
    receipt: Receipt | None = None
    problems: list[tuple[str, str]] = field(default_factory=list)
    named: list[Receipt] = field(default_factory=list)


@dataclass
class LogJudge:
    """Judges the receipts of a chain at one time."""

    export: Export
    chain: Chain
    policy: Policy
    now_ms: int
    shown: Shown
    ends_ms: int = 0
    _of_registry: dict[int, Receipt | None] = field(default_factory=dict)
    _openers: dict[str, Opener] = field(default_factory=dict)

    def _opener(self, home: str) -> Opener:
        """Opens receipts of the log of a home."""
        return self._openers.setdefault(home, Opener(log_origin(home), self.policy))

    def judge(self) -> list[LogFinding]:
        """What the log says of each block, by height. A wrong receipt of the registry refuses the file."""
        opened = [self._open(block, jws) for block, jws in zip(self.chain.blocks, self.export.blocks)]
        # A file says itself what time it is: it is at least as late as quorums say, and rights end by the log's word too.
        named = [receipt for finding in opened for receipt in finding.named]
        self.now_ms = max([self.now_ms, *(receipt.since_ms for receipt in named if receipt.is_witnessed)])
        self.ends_ms = max([self.now_ms, *(receipt.signed_ms for receipt in named)])
        findings, highest = [], {}
        for block, finding in zip(self.chain.blocks, opened):
            self._judge_block(block, finding, highest)
            if finding.receipt is not None:
                log = finding.receipt.log
                highest[log] = max(highest.get(log, -1), finding.receipt.index)
            findings.append(finding)
        self._compare_trees(findings)
        receipts, has_quorum = [finding.receipt for finding in findings], self.policy.quorum is not None
        for height in unseen_delays(self.chain.blocks, receipts, has_quorum, self.now_ms):
            findings[height].problems.append(("suspect", "delay-unseen"))
        return findings

    def _open(self, block: Block, jws: str) -> LogFinding:
        """The receipts that a block names, and no status yet."""
        text, receipt, problems = self.export.proof(self.export.receipts.get(block.height)), None, []
        if text is not None:
            try:
                home = self.chain.states[block.height]["home"]["origin"]
                receipt = self._opener(home).open(text, jws, None)
            except BadReceipt as error:
                problems.append(("tampered", error.rule))
        named = [receipt, self._revoking_receipt(block)]
        return LogFinding("", receipt, problems, [item for item in named if item is not None])

    def _judge_block(self, block: Block, finding: LogFinding, highest: dict[str, int]) -> None:
        receipt, problems = finding.receipt, finding.problems
        is_wrong = bool(problems)
        if receipt is not None and _is_oddly_signed(receipt, time_ms(block.payload["time"])):
            problems.append(("suspect", "log-time"))
        if receipt is not None and receipt.index <= highest.get(receipt.log, -1):
            problems.append(("forked", "leaf-order"))
        status, dated = self._status(block, receipt), time_ms(block.payload["time"])
        if status == "overdue" and is_wrong:
            status = "promised"
        if receipt is None and not is_wrong and self._is_due(dated):
            problems.append(("overdue", "promise"))
        if status == "late":
            problems.append(("late", "revoked"))
        seen = receipt.seen_ms if receipt and receipt.is_witnessed else self.now_ms
        if dated - min(self.now_ms, seen) > DATED_AHEAD_MS:
            problems.append(("suspect", "block-time"))
        finding.status = status

    def _status(self, block: Block, receipt: Receipt | None) -> str:
        """The first rule from the bottom up that holds."""
        record = self.chain.registry.newest.get("key", block.kid)
        revoked = record and record["revoked"]
        if revoked:
            revoking = self._receipt_of_registry(revoked["height"])
            if receipt and revoking and receipt.log == revoking.log and receipt.index > revoking.index:
                return "late"
            if _is_after_suspicion(revoked, receipt) or self._is_unordered(block, revoked, receipt):
                return "suspect"
            if revoking is None and self._is_ended(self.chain.registry.times[revoked["height"]]):
                return "suspect"
        if any(self._is_unseen_by(end, receipt) for end in self._ends(block, revoked)):
            return "suspect"
        if receipt is None:
            return "overdue" if self._is_due(time_ms(block.payload["time"])) else "promised"
        return "witnessed" if receipt.is_witnessed else "logged"

    def _ends(self, block: Block, revoked: dict | None) -> list[int]:
        """When the author could last have written it: until its key was revoked, and its grant ended."""
        ends = []
        if revoked:
            ends.append(self._revoked_ms(revoked))
        until = self._grant_end(block)
        return ends if until is None else [*ends, time_ms(until)]

    def _revoked_ms(self, revoked: dict) -> int:
        revoking, made = self._receipt_of_registry(revoked["height"]), self.chain.registry.times[revoked["height"]]
        return min(made, revoking.seen_ms) if revoking and revoking.is_witnessed else made

    def _is_unordered(self, block: Block, revoked: dict, receipt: Receipt | None) -> bool:
        """Whether a block of a key that may be in other hands is in a log that the chain left, and no quorum saw it before that was said."""
        is_here = self.chain.states[block.height]["home"]["origin"] == self.export.first["origin"]
        if is_here or revoked["reason"] == "retired":
            return False
        return receipt is None or not receipt.is_witnessed or receipt.seen_ms >= self._revoked_ms(revoked)

    def _grant_end(self, block: Block) -> str | None:
        """When the grant ends by which a record block was written."""
        record = self.chain.registry.newest.get("key", block.kid)
        if block.type != "record" or record is None or "institution" not in record["owner"]:
            return None
        state = self.chain.states[block.height - 1]
        grant = grant_of(state, record["owner"]["institution"])
        return None if block.kid in device_kids(state["controllers"]) or grant is None else grant["until"]

    def _is_unseen_by(self, end: int, receipt: Receipt | None) -> bool:
        if self.policy.quorum is not None and receipt is not None and receipt.is_witnessed:
            return receipt.seen_ms - end > DUE_MS
        return self._is_ended(end) and (receipt is None or self.policy.quorum is not None)

    def _revoking_receipt(self, block: Block) -> Receipt | None:
        record = self.chain.registry.newest.get("key", block.kid)
        revoked = record and record["revoked"]
        return self._receipt_of_registry(revoked["height"]) if revoked else None

    def _compare_trees(self, findings: list[LogFinding]) -> None:
        """A log with one history signs one root of a size."""
        for finding in findings:
            for receipt in finding.named:
                self.shown.add_tree(receipt.log, receipt.size, receipt.root)
        for finding in findings:
            if any(self.shown.is_split(receipt.log, receipt.size) for receipt in finding.named):
                finding.problems.append(("forked", "split-view"))

    def _is_due(self, since_ms: int) -> bool:
        return self.now_ms - since_ms > DUE_MS

    def _is_ended(self, since_ms: int) -> bool:
        return self.ends_ms - since_ms > DUE_MS

    def _receipt_of_registry(self, height: int) -> Receipt | None:
        if height not in self._of_registry:
            self._of_registry[height] = self._open_of_registry(height)
        return self._of_registry[height]

    def _open_of_registry(self, height: int) -> Receipt | None:
        text, registry = self.export.proof(self.export.registry_receipts.get(height)), self.chain.registry.pinned
        if text is None:
            return None
        try:
            label = label_of(from_base64url(registry), registry, height)
            return self._opener(self.export.first["origin"]).open(text, self.export.registry_blocks[height], label)
        except BadReceipt as error:
            message = f"the registry at height {height}: {error}"
            raise Refused("VERIFICATION_FAILED", message, error.rule, height) from None


def _is_oddly_signed(receipt: Receipt, made: int) -> bool:
    """Whether the log says that it signed after its witnesses cosigned, or before the block was made."""
    if receipt.by is not None and any(time - receipt.by > AHEAD_SECONDS for time in receipt.signed):
        return True
    return any(made - EPOCH_MS - 1000 * time > BEFORE_BLOCK_MS for time in receipt.signed)


def _is_after_suspicion(revoked: dict, receipt: Receipt | None) -> bool:
    """Whether no witness saw the block before the time from which its key is suspect."""
    if revoked["reason"] != "compromised" or revoked["suspectFrom"] is None:
        return False
    if receipt is None or not receipt.is_witnessed:
        return True
    return receipt.seen_ms >= time_ms(revoked["suspectFrom"])


def judge_log(export: Export, chain: Chain, policy: Policy, now_ms: int, shown: Shown) -> list[LogFinding]:
    """Step 7, by a policy, at a time in milliseconds."""
    return LogJudge(export, chain, policy, now_ms, shown).judge()
