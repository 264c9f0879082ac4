# SPDX-License-Identifier: Apache-2.0
"""Section 8, step 7: what the log says of each block."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..chain.blocks import Block
from ..chain.fold import Chain
from ..errors import Refused
from ..forms.encoding import from_base64url, time_ms
from ..lines import Export
from .policy import Policy
from .receipts import BadReceipt, Opener, Receipt, label_of, log_origin

DUE_MS = 180_000
_EPOCH_MS = time_ms("1970-01-01T00:00:00.000Z")


@dataclass
class LogFinding:
    """What the log says of one block, and what is wrong with that: pairs of a status and a check."""

    status: str
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class LogJudge:
    """Judges the receipts of a chain at one time, with those of the registry that verified, by height."""

    chain: Chain
    opener: Opener
    now_ms: int
    of_registry: dict[int, Receipt]

    def judge(self, export: Export) -> list[LogFinding]:
        findings, highest = [], -1
        for block, jws in zip(self.chain.blocks, export.blocks):
            receipt, problems = None, []
            text = export.proof(export.receipts.get(block.height))
            if text is not None:
                try:
                    receipt = self.opener.open(text, jws, None)
                except BadReceipt as error:
                    problems.append(("tampered", error.rule))
            status = self._status(block, receipt, bool(problems))
            if receipt is not None:
                if receipt.index <= highest:
                    problems.append(("forked", "leaf-order"))
                highest = max(highest, receipt.index)
            if status in ("overdue", "late"):
                problems.append((status, "promise" if status == "overdue" else "revoked"))
            findings.append(LogFinding(status, problems))
        return findings

    def _status(self, block: Block, receipt: Receipt | None, is_wrong: bool) -> str:
        """The first rule from the bottom up that holds."""
        record = self.chain.registry.newest.get("key", block.kid)
        revoked = record and record["revoked"]
        if revoked:
            revoking = self.of_registry.get(revoked["height"])
            if receipt and revoking and receipt.index > revoking.index:
                return "late"
            if _is_after_suspicion(revoked, receipt):
                return "suspect"
            if revoking is None and self._is_due(self.chain.registry.times[revoked["height"]]):
                return "suspect"
        if receipt is None:
            return "overdue" if not is_wrong and self._is_due(time_ms(block.payload["time"])) else "promised"
        return "witnessed" if receipt.is_witnessed else "logged"

    def _is_due(self, since_ms: int) -> bool:
        return self.now_ms - since_ms > DUE_MS


def _is_after_suspicion(revoked: dict, receipt: Receipt | None) -> bool:
    """Whether no witness saw the block before the time from which its key is suspect."""
    if revoked["reason"] != "compromised" or revoked["suspectFrom"] is None:
        return False
    if receipt is None or not receipt.is_witnessed or receipt.latest is None:
        return True
    return _EPOCH_MS + 1000 * receipt.latest >= time_ms(revoked["suspectFrom"])


def judge_log(export: Export, chain: Chain, policy: Policy, now_ms: int) -> list[LogFinding]:
    """What the log says of each block, by height. A wrong receipt of the registry refuses the file."""
    opener = Opener(log_origin(export.first["origin"]), policy)
    judge = LogJudge(chain, opener, now_ms, _open_registry_receipts(export, opener))
    return judge.judge(export)


def _open_registry_receipts(export: Export, opener: Opener) -> dict[int, Receipt]:
    registry, found = export.first["registry"], {}
    for height, jws in enumerate(export.registry_blocks):
        text = export.proof(export.registry_receipts.get(height))
        if text is not None:
            try:
                found[height] = opener.open(text, jws, label_of(from_base64url(registry), registry, height))
            except BadReceipt as error:
                message = f"the registry at height {height}: {error}"
                raise Refused("VERIFICATION_FAILED", message, error.rule, height) from None
    return found
