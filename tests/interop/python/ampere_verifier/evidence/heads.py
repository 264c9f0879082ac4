# SPDX-License-Identifier: Apache-2.0
"""Section 12, heads: a fork or a rollback by two head statements."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import time_ms
from .trust import Heads, opened_block

MARGIN_MS = 120_000


def judge_heads(file: dict, heads: Heads) -> None:
    lower, higher = sorted((heads.open(jws) for jws in file["statements"]), key=lambda head: head["height"])
    if lower["chain"] != higher["chain"]:
        raise Broken("conflict", "the heads are of two chains")
    if lower["height"] == higher["height"]:
        if file["links"]:
            raise Broken("links", "there are no blocks between heads of one height")
        if lower["block"] == higher["block"]:
            raise Broken("conflict", "the heads name one block")
    elif file["links"]:
        _check_links(file["links"], lower, higher)
    elif time_ms(lower["time"]) - time_ms(higher["time"]) <= MARGIN_MS:
        raise Broken("conflict", "the lower head is not late enough")


def _check_links(links: list[str], lower: dict, higher: dict) -> None:
    blocks = [opened_block(jws) for jws in links]
    if len(blocks) != higher["height"] - lower["height"] or blocks[-1].id != higher["block"]:
        raise Broken("links", "not the blocks up to the one that the higher head names")
    for height, block in enumerate(blocks, lower["height"] + 1):
        if (block.chain, block.height) != (higher["chain"], height):
            raise Broken("links", "a block of another chain or height")
    for before, block in zip(blocks, blocks[1:]):
        if block.payload["prev"] != before.id:
            raise Broken("links", "a block that does not follow the one before it")
    if blocks[0].payload["prev"] == lower["block"]:
        raise Broken("conflict", "the higher head continues the lower")
