# SPDX-License-Identifier: Apache-2.0
"""Section 5: folding the blocks of a chain."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import BadSignature, Broken, Malformed, Refused
from ..forms.encoding import canonical, digest, time_ms
from ..forms.jws import thumbprint
from ..registry.fold import Registry
from ..registry.records import RegistryState
from .blocks import Block, parse_block
from .control import judge_control, judge_genesis
from .entries import judge_erase, judge_record
from .recover import check_frozen, judge_recover
from .rehome import judge_rehome
from .state import State

MAX_STATE_BYTES = 65_536

_JUDGES = {"control": judge_control, "record": judge_record, "erase": judge_erase, "rehome": judge_rehome,
           "recover": judge_recover}


@dataclass
class Chain:
    """A chain as far as it was folded: its blocks and the control state after each."""

    id: str
    registry: Registry
    blocks: list[Block] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    def add(self, jws: str) -> None:
        """Judges the next block by every rule and takes it; refuses it with the first rule that it breaks."""
        height = len(self.blocks)
        try:
            block = self._opened(jws)
            state = self._judge(block)
        except (Malformed, BadSignature, Broken) as error:
            rule = _rule_of(error)
            raise Refused("VERIFICATION_FAILED", f"block {height}: {error}", rule, height) from None
        self.blocks.append(block)
        self.states.append(state)

    def _opened(self, jws: str) -> Block:
        """`malformed` and `signature`."""
        block = parse_block(jws)
        keys = dict(self.registry.keys)
        for listing in (self.states[-1] if self.states else {}, block.body):
            for members in (listing.get("controllers"), listing.get("recovery")):
                keys.update(_device_keys(members))
        for signed in (block.statement, *block.approvals):
            signed.verify(keys.get(signed.kid))
        return block

    def _judge(self, block: Block) -> State:
        if block.chain != self.id:
            raise Broken("chain", "the block is of another chain")
        registry = self.registry.at(block.payload["registry"])
        if registry is None:
            raise Broken("registry-head", "the registry has no such head")
        self._check_place(block)
        state = self._after(block, registry)
        data = canonical(state)
        if len(data) > MAX_STATE_BYTES:
            raise Broken("state-size", "the control state is too long")
        if digest(data) != block.payload["state"]:
            raise Broken("state-hash", "the block names another state")
        return state

    def _after(self, block: Block, registry: RegistryState) -> State:
        if block.type == "genesis":
            return judge_genesis(block, registry, self.registry.pinned)
        check_frozen(block, self.states[-1], registry)
        return _JUDGES[block.type](block, self.blocks[-1], self.states[-1], registry)

    def _check_place(self, block: Block) -> None:
        payload = block.payload
        if block.type == "genesis":
            if self.blocks:
                raise Broken("height", "a genesis has no parent")
            return
        if not self.blocks:
            raise Broken("first-block", "a chain begins with a genesis")
        parent = self.blocks[-1]
        if block.height != parent.height + 1:
            raise Broken("height", "the height does not follow")
        if payload["prev"] != parent.id:
            raise Broken("prev", "prev is not the parent")
        if time_ms(payload["time"]) < time_ms(parent.payload["time"]):
            raise Broken("time", "before the parent")
        if payload["registry"]["height"] < parent.payload["registry"]["height"]:
            raise Broken("registry-height", "an older registry head than the parent's")
        if self.states[-1]["ended"]:
            raise Broken("ended", "the record was erased")


def _device_keys(controllers: dict | None) -> dict[str, dict]:
    members = controllers["members"] if controllers else []
    return {member["kid"]: member["jwk"] for member in members
            if member["kind"] == "device" and thumbprint(member["jwk"]) == member["kid"]}


def _rule_of(error: Exception) -> str:
    if isinstance(error, Broken):
        return error.rule
    return "signature" if isinstance(error, BadSignature) else "malformed"
