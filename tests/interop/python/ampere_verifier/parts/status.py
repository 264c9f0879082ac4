# SPDX-License-Identifier: Apache-2.0
"""Section 8: the checks of a block's parts, and its status."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..chain.blocks import Block
from .erasures import Erasure, named_at
from .rows import Object, read_object, read_row

# From best to worst. `unopenable` is reported by readers only, `forked` by who sees both blocks.
ORDER = ("witnessed", "logged", "promised", "erased", "erasing", "incomplete", "overdue", "suspect", "late", "unopenable",
         "missing", "tampered", "forked")


@dataclass
class Judgement:
    """What the parts of one block show; a block of which nothing is said has no status yet."""

    height: int
    statuses: list[str] = field(default_factory=list)
    problems: list[dict] = field(default_factory=list)
    erased: int = 0

    def find(self, status: str, check: str) -> None:
        self.statuses.append(status)
        self.problems.append({"height": self.height, "status": status, "rule": check})

    @property
    def status(self) -> str:
        return max(self.statuses, key=ORDER.index)


@dataclass(frozen=True)
class _Graves:
    tombstones: int
    named: int
    kept: int


def judge_parts(block: Block, row: str | None, data: bytes | None, erasures: list[Erasure],
                now_ms: int) -> Judgement:
    found, entries = Judgement(block.height), block.entries
    if entries is None:
        return found
    named = named_at(erasures, block.height)
    object_ = None if data is None else read_object(data, entries)
    keys = None if row is None else read_row(row, entries)
    if row is None:
        found.find("missing", "keys-row")
    elif keys is None:
        found.find("tampered", "keys-root")
    graves = _graves(keys or [], named, object_)
    if graves.tombstones > graves.named:
        found.find("missing", "keys-row")
    if data is None:
        if named is not None and graves.named < entries["count"]:
            found.find("missing", "object")
    elif object_ is None:
        found.find("tampered", "entries-root")
    else:
        for _ in object_.spoiled:
            found.find("tampered", "entry-hash")
    if graves.named > 0:
        touching = [erasure for erasure in erasures if erasure.touches(block.height)]
        over = [erasure for erasure in touching if erasure.is_over(now_ms)]
        found.statuses.append("erased" if _is_covered(block, touching, over) else "erasing")
    if graves.kept > 0:
        found.statuses.append("erasing")
    found.erased = graves.named
    return found


def _is_covered(block: Block, touching: list[Erasure], over: list[Erasure]) -> bool:
    """Whether all that was ordered in the block is in an erasure that is `erased`."""
    if any(erasure.targets is None for erasure in over):
        return True
    covered = _ids_at(block.height, over)
    if any(erasure.targets is None for erasure in touching):
        return len(covered) >= block.entries["count"]
    return _ids_at(block.height, touching) <= covered


def _ids_at(height: int, erasures: list[Erasure]) -> set[str]:
    return {entry for erasure in erasures for entry in (erasure.targets or {}).get(height, ())}


def _graves(keys: list[bool], named: set[str] | None, object_: Object | None) -> _Graves:
    """Tombstones, those of them that were named, and named keys that are still there."""
    tombstones = sum(keys)
    if named is not None and object_ is None:
        buried = min(tombstones, len(named))
        return _Graves(tombstones, buried, min(len(keys), len(named)) - buried)
    ids = object_.ids if object_ else []
    aimed = [gone for index, gone in enumerate(keys)
             if named is None or (index < len(ids) and ids[index] in named)]
    return _Graves(tombstones, sum(aimed), len(aimed) - sum(aimed))


def broken_batches(blocks: list[Block]) -> set[int]:
    """Section 6, Batch: the heights of blocks whose batch is not whole."""
    waiting: dict[tuple[str, str], list[Block]] = {}
    spoiled: set[tuple[str, str]] = set()
    for block in blocks:
        batch = block.entries and block.entries["batch"]
        if not batch:
            continue
        key = (block.kid, batch["id"])
        before = waiting.setdefault(key, [])
        if batch["index"] != len(before):
            spoiled.add(key)
        before.append(block)
        if batch["last"] and key not in spoiled:
            del waiting[key]
    return {block.height for blocks_ in waiting.values() for block in blocks_}
