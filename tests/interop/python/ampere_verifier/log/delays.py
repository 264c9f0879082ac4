# SPDX-License-Identifier: Apache-2.0
"""Section 8, check `delay-unseen`: erasures that took effect before witnesses saw their delay pass."""

from __future__ import annotations

from ..chain.blocks import Block
from ..forms.encoding import time_ms
from .receipts import Receipt

MARGIN_MS = 360_000


def unseen_delays(blocks: list[Block], receipts: list[Receipt | None]) -> list[int]:
    """The heights of such completions. One that is not witnessed is not judged yet."""
    found = []
    for block, receipt in zip(blocks, receipts):
        if block.type != "erase" or block.body["act"] != "complete" or receipt is None or not receipt.is_witnessed:
            continue
        asked = block.body["request"]
        delay, seen = time_ms(block.body["notBefore"]) - time_ms(blocks[asked].payload["time"]), receipts[asked]
        if delay <= MARGIN_MS:
            continue
        if seen is None or not seen.is_witnessed or receipt.since_ms - seen.seen_ms < delay - MARGIN_MS:
            found.append(block.height)
    return found
