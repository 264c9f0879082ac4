# SPDX-License-Identifier: Apache-2.0
"""Section 8: what one reader was shown in several files, which is compared."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Shown:
    """Roots by log and size; ids of blocks by chain and height."""

    roots: dict[tuple[str, int], set[bytes]] = field(default_factory=dict)
    blocks: dict[tuple[str, int], str] = field(default_factory=dict)

    def add_tree(self, log: str, size: int, root: bytes) -> None:
        self.roots.setdefault((log, size), set()).add(root)

    def is_split(self, log: str, size: int) -> bool:
        return len(self.roots[(log, size)]) > 1

    def is_forked(self, chain: str, height: int, block: str) -> bool:
        """Whether another block was shown before at this height, else the block is remembered."""
        return self.blocks.setdefault((chain, height), block) != block
