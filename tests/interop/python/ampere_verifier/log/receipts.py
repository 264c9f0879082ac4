# SPDX-License-Identifier: Apache-2.0
"""Section 11: labels, log entries, and what one receipt proves under a policy."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from ..errors import BadSignature, Malformed
from ..forms.encoding import from_base64url, sha256
from .note import Checkpoint, parse_checkpoint
from .policy import Policy
from .proof import is_included, leaf_hash, parse_proof

LABEL_BYTES = 32


class BadReceipt(Exception):
    """A receipt that is wrong; `rule` is `receipt` or `label`."""

    def __init__(self, rule: str):
        super().__init__(f"a wrong {rule}")
        self.rule = rule


@dataclass(frozen=True)
class Receipt:
    """What a receipt that verifies proves: the place, and the latest time at which a witness of the policy saw it."""

    index: int
    is_witnessed: bool
    latest: int | None


@dataclass(frozen=True)
class _Opened:
    checkpoint: Checkpoint
    is_witnessed: bool
    latest: int | None


def log_origin(origin: str) -> str:
    """The log of the home at an origin."""
    return f"{origin.partition('://')[2] or origin}/log"


def label_of(key: bytes, chain: str, height: int) -> bytes:
    data = b"ampere-leaf/v1\0" + from_base64url(chain, 32) + height.to_bytes(8, "big")
    return hmac.digest(key, data, "sha256")


@dataclass
class Opener:
    """Opens receipts of one log. A checkpoint is opened once, however many receipts stand under it."""

    log: str
    policy: Policy
    _opened: dict[str, _Opened | None] = field(default_factory=dict)

    def open(self, text: str, jws: str, label: bytes | None) -> Receipt:
        """Raises BadReceipt. Without a label that of the receipt is taken."""
        try:
            proof = parse_proof(text)
        except Malformed:
            raise BadReceipt("receipt") from None
        opened = self._checkpoint(proof.checkpoint)
        if opened is None:
            raise BadReceipt("receipt")
        if proof.extra is None or len(proof.extra) != LABEL_BYTES or label not in (None, proof.extra):
            raise BadReceipt("label")
        leaf = leaf_hash(b"\x01" + proof.extra + sha256(jws.encode("ascii")))
        if not is_included(leaf, proof.index, opened.checkpoint.size, proof.hashes, opened.checkpoint.root):
            raise BadReceipt("receipt")
        return Receipt(proof.index, opened.is_witnessed, opened.latest)

    def _checkpoint(self, note: str) -> _Opened | None:
        if note not in self._opened:
            try:
                self._opened[note] = self._verified(parse_checkpoint(note))
            except (Malformed, BadSignature):
                self._opened[note] = None
        return self._opened[note]

    def _verified(self, checkpoint: Checkpoint) -> _Opened:
        """Every signature by a key of the policy verifies, and one is by a key of this log."""
        if checkpoint.origin != self.log:
            raise BadSignature("of another log")
        is_signed, cosigned, times = False, set(), []
        for line in checkpoint.signatures:
            for key in self.policy.logs:
                if (key.name, key.id) == (line.name, line.key_id):
                    key.verify(checkpoint, line.signature)
                    is_signed = is_signed or key.name == self.log
            for name, key in self.policy.witnesses.items():
                if (key.name, key.id) == (line.name, line.key_id):
                    time = key.verify(checkpoint, line.signature)
                    times.append(time)
                    if time > 0:
                        cosigned.add(name)
        if not is_signed:
            raise BadSignature("not signed by the log")
        return _Opened(checkpoint, self.policy.is_met(cosigned), max(times, default=None))
