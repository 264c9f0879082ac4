# SPDX-License-Identifier: Apache-2.0
"""Section 12, what everything in a file is held against: the pinned registry with its head keys, the pinned log keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..chain.blocks import Block, parse_block
from ..errors import BadSignature, Broken, Malformed, Refused
from ..export import parse_head
from ..log.keys import ED25519, SUBTREE, VerifierKey, parse_verifier_key
from ..log.note import Checkpoint, parse_checkpoint
from ..registry.fold import Registry

LOG_KINDS = (ED25519, SUBTREE)


def opened_block(jws: str) -> Block:
    """A block by its form; nobody looks at signatures of authors."""
    try:
        return parse_block(jws)
    except Malformed as error:
        raise Broken("form", f"a block: {error}") from None


@dataclass(frozen=True)
class Heads:
    """Opens head statements of one origin."""

    registry: Registry
    origin: str

    def open(self, jws: str) -> dict:
        """What a head statement says, if a key signed it that answers for this origin."""
        try:
            statement, head = parse_head(jws)
        except Malformed as error:
            raise Broken("form", f"a head statement: {error}") from None
        if head["origin"] != self.origin:
            raise Broken("origin", "a head statement of another origin")
        try:
            statement.verify(self._key(statement.kid))
        except BadSignature as error:
            raise Broken("signature", f"a head statement: {error}") from None
        return head

    def _key(self, kid: str) -> dict:
        record = self.registry.newest.get("key", kid)
        if record is None or record["use"] != "head" or not self._was_here(record["owner"]["deployment"], kid):
            raise Broken("head-key", "not by a head key of a deployment at the origin")
        if record["revoked"] and record["revoked"]["reason"] == "compromised":
            raise Broken("head-key", "by a key that is compromised")
        return record["jwk"]

    def _was_here(self, deployment: str, kid: str) -> bool:
        """Whether a state has the key, revoked or not, and its deployment at the origin."""
        for state in self.registry.states:
            record = state.get("deployment", deployment)
            if record and record["origin"] == self.origin and state.get("key", kid):
                return True
        return False


def pinned_heads(file: dict, pinned: str) -> Heads:
    """The registry of the file, folded from the pinned genesis. Later keys and origins come from its states."""
    if file["registry"]["id"] != pinned:
        raise Broken("pinned", "another registry than the pinned one")
    try:
        return Heads(_folded(pinned, tuple(file["registry"]["blocks"])), file["origin"])
    except Refused as error:
        raise Broken("registry", str(error)) from None


@lru_cache(maxsize=64)
def _folded(pinned: str, blocks: tuple[str, ...]) -> Registry:
    """Remembered: one registry stands in many files."""
    registry = Registry(pinned)
    for jws in blocks:
        registry.add(jws)
    return registry


@dataclass(frozen=True)
class SignedTree:
    """A checkpoint that the log signed; `times` are those of its ML-DSA-44 signatures, in seconds, without 0."""

    checkpoint: Checkpoint
    times: tuple[int, ...]

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root


@dataclass(frozen=True)
class Log:
    """Opens checkpoints of one log with the keys that are pinned, in the file and named as the log."""

    origin: str
    keys: tuple[VerifierKey, ...]

    def open(self, note: str) -> SignedTree:
        try:
            checkpoint = parse_checkpoint(note)
        except Malformed as error:
            raise Broken("form", f"a checkpoint: {error}") from None
        signed: list[tuple[int, int]] = []
        for line in checkpoint.signatures:
            for key in self.keys:
                if (key.name, key.id) == (line.name, line.key_id):
                    try:
                        signed.append((key.kind, key.verify(checkpoint, line.signature)))
                    except BadSignature as error:
                        raise Broken("signature", f"a checkpoint: {error}") from None
        # Section 11: a signature of type 0x06 does not cover extension lines.
        if not any(kind != SUBTREE or not checkpoint.is_extended for kind, _ in signed):
            raise Broken("signature", "no pinned key signed a checkpoint")
        if checkpoint.origin != self.origin:
            raise Broken("origin", "a checkpoint of another origin")
        return SignedTree(checkpoint, tuple(time for kind, time in signed if kind == SUBTREE and time > 0))


def pinned_log(file: dict, origin: str, pinned: list[VerifierKey]) -> Log:
    """The keys of the file that are pinned, named as the log and of a type with which logs sign (section 11)."""
    try:
        named = [_verifier_key(text) for text in file["log"]]
    except Malformed as error:
        raise Broken("form", f"a key of the log: {error}") from None
    keys = tuple(key for key in named if key in pinned and key.name == origin and key.kind in LOG_KINDS)
    if not keys:
        raise Broken("pinned", "no key of the log is pinned")
    return Log(origin, keys)


@lru_cache(maxsize=64)
def _verifier_key(text: str) -> VerifierKey:
    return parse_verifier_key(text.encode("utf-8"))
