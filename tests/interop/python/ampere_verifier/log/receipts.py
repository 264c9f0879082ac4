# SPDX-License-Identifier: Apache-2.0
"""Section 11: labels, log entries, and what one receipt proves under a policy."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from ..errors import BadSignature, Malformed
from ..forms.encoding import from_base64url, sha256, time_ms
from .keys import SUBTREE
from .note import Checkpoint, parse_checkpoint
from .policy import Policy
from .proof import is_included, leaf_hash, parse_proof

LABEL_BYTES = 32
EPOCH_MS = time_ms("1970-01-01T00:00:00.000Z")


class BadReceipt(Exception):
    """A receipt that is wrong; `rule` is `receipt` or `label`."""

    def __init__(self, rule: str):
        super().__init__(f"a wrong {rule}")
        self.rule = rule


@dataclass(frozen=True)
class Receipt:
    """What a receipt that verifies proves: the log, the place in a tree, and the latest time, in seconds, at which a witness of the policy
    saw a tree of that size."""

    log: str
    index: int
    size: int
    root: bytes
    is_witnessed: bool
    latest: int
    since: int
    by: int | None
    signed: tuple[int, ...]

    @property
    def seen_ms(self) -> int:
        """The latest time, in milliseconds of the proleptic calendar, as those of statements are."""
        return EPOCH_MS + 1000 * self.latest

    @property
    def since_ms(self) -> int:
        """Since when a quorum stands behind the tree."""
        return EPOCH_MS + 1000 * self.since

    @property
    def signed_ms(self) -> int:
        """When the log says at the latest that it signed the tree."""
        return EPOCH_MS + 1000 * max(self.signed, default=0)

    def report(self) -> dict:
        level = "witnessed" if self.is_witnessed else "logged"
        seen = self.latest * 1000 if self.latest > 0 else None
        return {"level": level, "index": self.index, "size": self.size, "seenMs": seen}


@dataclass(frozen=True)
class Opened:
    """A checkpoint that its log signed, and what the policy says of its cosignatures."""

    checkpoint: Checkpoint
    is_witnessed: bool
    latest: int
    since: int
    by: int | None
    times: dict[bytes, int]
    signed: tuple[int, ...]


def log_origin(origin: str) -> str:
    """The log of the home at an origin."""
    return f"{origin.removeprefix('http://').removeprefix('https://')}/log"


def label_of(key: bytes, chain: str, height: int) -> bytes:
    data = b"ampere-leaf/v1\0" + from_base64url(chain, 32) + height.to_bytes(8, "big")
    return hmac.digest(key, data, "sha256")


@dataclass
class Opener:
    """Opens receipts of one log. A checkpoint is opened once, however many receipts stand under it."""

    log: str
    policy: Policy
    _opened: dict[str, Opened | None] = field(default_factory=dict)

    def open(self, text: str, jws: str, label: bytes | None) -> Receipt:
        """Raises BadReceipt. Without a label that of the receipt is taken."""
        try:
            proof = parse_proof(text)
        except Malformed:
            raise BadReceipt("receipt") from None
        opened = self.checkpoint(proof.checkpoint)
        if opened is None:
            raise BadReceipt("receipt")
        if proof.extra is None or len(proof.extra) != LABEL_BYTES or label not in (None, proof.extra):
            raise BadReceipt("label")
        leaf = leaf_hash(b"\x01" + proof.extra + sha256(jws.encode("ascii")))
        if not is_included(leaf, proof.index, opened.checkpoint.size, proof.hashes, opened.checkpoint.root):
            raise BadReceipt("receipt")
        tree = opened.checkpoint
        return Receipt(self.log, proof.index, tree.size, tree.root, opened.is_witnessed, opened.latest, opened.since, opened.by,
                       opened.signed)

    def checkpoint(self, note: str) -> Opened | None:
        """None for what is no checkpoint of the log, or not signed as the policy asks."""
        if note not in self._opened:
            try:
                self._opened[note] = self._verified(parse_checkpoint(note))
            except (Malformed, BadSignature):
                self._opened[note] = None
        return self._opened[note]

    def _verified(self, checkpoint: Checkpoint) -> Opened:
        """Every signature by a key of the policy verifies, and one that covers all of the text is by a key of this log."""
        if checkpoint.origin != self.log:
            raise BadSignature("of another log")
        is_signed, is_covered, times = False, not checkpoint.is_extended, {}
        signed, lacking = [], {key.kind for key in self.policy.logs if key.name == self.log}
        for line in checkpoint.signatures:
            for key in self.policy.logs:
                if (key.name, key.id) == (line.name, line.key_id):
                    said = key.verify(checkpoint, line.signature)
                    is_signed = is_signed or key.name == self.log
                    is_covered = is_covered or (key.name == self.log and key.kind != SUBTREE)
                    if key.name == self.log:
                        lacking.discard(key.kind)
                        signed.append(said)
            for name, key in self.policy.witnesses.items():
                if (key.name, key.id) == (line.name, line.key_id):
                    times[name] = max(times.get(name, 0), key.verify(checkpoint, line.signature))
        if not is_signed or not is_covered:
            raise BadSignature("not signed by the log")
        if lacking:
            raise BadSignature("not signed by each type of key of the log")
        cosigned = {name for name, time in times.items() if time > 0}
        latest = max(times.values(), default=0)
        times_of_log = tuple(time for time in signed if time > 0)
        since, by = self.policy.quorum_time(times), self.policy.quorum_by(times)
        return Opened(checkpoint, self.policy.is_met(cosigned), latest, since, by, times, times_of_log)
