# SPDX-License-Identifier: Apache-2.0
"""c2sp.org/signed-note, Verifier keys, and the types of signature that a home's log and witnesses make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..errors import BadSignature, Malformed
from ..forms.encoding import MAX_INTEGER, from_base64, sha256, to_base64url
from ..forms.jws import check_public_key, check_signature
from .note import Checkpoint, is_key_name

ED25519, COSIGNATURE, SUBTREE = 0x01, 0x04, 0x06
PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32, SUBTREE: 1312}

_KEY_ID = re.compile(r"[0-9a-f]{8}\Z")


@dataclass(frozen=True)
class VerifierKey:
    """A key of the policy: its name, its type of signature and the public key."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode("utf-8") + b"\n" + bytes([self.kind]) + self.public)[:4]

    def verify(self, checkpoint: Checkpoint, signature: bytes) -> int:
        """The time in seconds that a signature (what follows the key id) states; 0 where it states none.
        Raises BadSignature where it is not this key's."""
        time = 0
        if self.kind != ED25519:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            if time > MAX_INTEGER:
                raise BadSignature("a time beyond 2^53 - 1")
        check_message(self.kind, self.public, signature, self._message(checkpoint, time))
        return time

    def _message(self, checkpoint: Checkpoint, time: int) -> bytes:
        text = checkpoint.text.encode("utf-8")
        if self.kind == ED25519:
            return text
        if self.kind == COSIGNATURE:
            return b"cosignature/v1\ntime %d\n" % time + text
        return subtree_message(self.name, time, checkpoint.origin, 0, checkpoint.size, checkpoint.root)


def subtree_message(name: str, time: int, origin: str, start: int, end: int, root: bytes) -> bytes:
    """The structure `cosigned_message` of c2sp.org/tlog-cosignature."""
    numbers = [number.to_bytes(8, "big") for number in (time, start, end)]
    return b"subtree/v1\n\0" + _counted(name) + numbers[0] + _counted(origin) + numbers[1] + numbers[2] + root


def parse_verifier_key(text: bytes) -> VerifierKey:
    """A vkey; its key id is that of its name and key, else it is refused."""
    parts = text.split(b"+", 2)
    if len(parts) != 3:
        raise Malformed("not a verifier key")
    try:
        name, id_, packed = (part.decode("utf-8") for part in parts)
    except UnicodeDecodeError:
        raise Malformed("a key name that no note can have") from None
    data = from_base64(packed)
    if not is_key_name(name) or not _KEY_ID.match(id_) or not data:
        raise Malformed("not a verifier key")
    key = VerifierKey(name, data[0], data[1:])
    if PUBLIC_BYTES.get(key.kind) != len(key.public):
        raise Malformed("a verifier key of another type or length")
    if key.id.hex() != id_:
        raise Malformed("a key id that is not that of the name and the key")
    try:
        check_public_key(_jwk(key.kind, key.public))
    except BadSignature as error:
        raise Malformed(str(error)) from None
    return key


def _counted(name: str) -> bytes:
    data = name.encode("utf-8")
    return bytes([len(data)]) + data


def _jwk(kind: int, public: bytes) -> dict:
    """The key as section 2 has it, for the checks of section 3."""
    if kind == SUBTREE:
        return {"alg": "ML-DSA-44", "kty": "AKP", "pub": to_base64url(public)}
    return {"crv": "Ed25519", "kty": "OKP", "x": to_base64url(public)}


def check_message(kind: int, public: bytes, signature: bytes, message: bytes) -> None:
    if not _is_signature(kind, public, signature, message):
        raise BadSignature("the signature is wrong")


@lru_cache(maxsize=4096)
def _is_signature(kind: int, public: bytes, signature: bytes, message: bytes) -> bool:
    """Remembered: one checkpoint stands under many receipts, and in many files."""
    try:
        check_signature(_jwk(kind, public), signature, message)
        return True
    except BadSignature:
        return False
