# SPDX-License-Identifier: Apache-2.0
"""Section 8, check `delay-unseen`: erasures and recoveries that took effect before witnesses saw their delay pass."""

from __future__ import annotations

from ..chain.blocks import Block
from ..forms.encoding import time_ms
from .receipts import EPOCH_MS, Receipt

MARGIN_MS = 360_000


def unseen_delays(blocks: list[Block], receipts: list[Receipt | None], has_quorum: bool, now_ms: int) -> list[int]:
    """The heights of such completions, and of those that witnesses should have seen by now."""
    found = []
    for block, receipt in zip(blocks, receipts):
        if not has_quorum or block.type not in ("erase", "recover") or block.body["act"] != "complete":
            continue
        asked = block.body["request"]
        delay, seen = time_ms(block.body["notBefore"]) - time_ms(blocks[asked].payload["time"]), receipts[asked]
        if delay <= MARGIN_MS:
            continue
        if receipt is None or not receipt.is_witnessed:
            signed = [EPOCH_MS + 1000 * time for time in receipt.signed] if receipt else []
            if max([now_ms, *signed]) - time_ms(block.payload["time"]) > MARGIN_MS:
                found.append(block.height)
        elif seen is None or not seen.is_witnessed or receipt.since_ms - seen.seen_ms < delay - MARGIN_MS:
            found.append(block.height)
    return found
