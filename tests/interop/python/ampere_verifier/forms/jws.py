# SPDX-License-Identifier: Apache-2.0
"""Section 2 (kid) and section 3 (Signed statements)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ..errors import BadKey, BadSignature, Malformed, MalformedJws
from . import mldsa
from .ed25519 import NEUTRAL_BYTES, is_prime_order_key
from .encoding import canonical, digest, from_base64url, parse_canonical
from .shapes import digest_text, obj, one_of

MAX_CHARACTERS = 131_072
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_ALGORITHM = {"EC": "ES256", "OKP": "Ed25519", "AKP": "ML-DSA-44"}
_SIGNATURE_BYTES = {"ES256": 64, "Ed25519": 64, "ML-DSA-44": 2420}


def thumbprint(jwk: dict) -> str:
    """A JWK has exactly the members that RFC 7638 hashes."""
    return digest(canonical(jwk))


@dataclass(frozen=True)
class Statement:
    """A parsed statement; the signature is not verified before `verify`."""

    alg: str
    kid: str
    payload: Any
    signing_input: bytes
    signature: bytes

    @property
    def id(self) -> str:
        return digest(self.signing_input)

    def verify(self, jwk: dict | None) -> None:
        """The key has the thumbprint and the algorithm that the header names, and the signature is its."""
        if jwk is None:
            raise BadSignature("the key is unknown")
        if thumbprint(jwk) != self.kid or _ALGORITHM[jwk["kty"]] != self.alg:
            raise BadSignature("the key is not the one that the header names")
        check_signature(jwk, self.signature, self.signing_input)


def check_signature(jwk: dict, signature: bytes, data: bytes) -> None:
    """The table of algorithms."""
    alg = _ALGORITHM[jwk["kty"]]
    if len(signature) != _SIGNATURE_BYTES[alg]:
        raise BadSignature("a signature of another length")
    try:
        _VERIFY[alg](jwk, signature, data)
    except InvalidSignature:
        raise BadSignature("the signature is wrong") from None


def check_public_key(jwk: dict) -> None:
    """The column `key` of the table; any 1,312 bytes are a key of ML-DSA-44."""
    if jwk["kty"] == "EC":
        _p256_key(jwk["x"], jwk["y"])
    elif jwk["kty"] == "OKP":
        _ed25519_key(jwk["x"])


def parse_statement(jws: str, typ: str, most: int = MAX_CHARACTERS) -> Statement:
    header_shape = obj({"alg": one_of(*_SIGNATURE_BYTES), "kid": digest_text, "typ": one_of(typ)})
    try:
        if len(jws) > most:
            raise Malformed(f"longer than {most} characters")
        segments = jws.split(".")
        if len(segments) != 3 or "" in segments:
            raise Malformed("not three segments")
        header = header_shape(parse_canonical(from_base64url(segments[0])))
        payload = parse_canonical(from_base64url(segments[1]))
        signature = from_base64url(segments[2], _SIGNATURE_BYTES[header["alg"]])
    except Malformed as error:
        raise MalformedJws(str(error)) from None
    signing_input = f"{segments[0]}.{segments[1]}".encode("ascii")
    return Statement(header["alg"], header["kid"], payload, signing_input, signature)


def _verify_es256(jwk: dict, signature: bytes, data: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key = _p256_key(jwk["x"], jwk["y"])
    if not 0 < r < P256_ORDER or not 0 < s <= (P256_ORDER - 1) // 2:
        raise BadSignature("r or s out of range")
    key.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))


@lru_cache(maxsize=1024)
def _p256_key(x: str, y: str) -> ec.EllipticCurvePublicKey:
    numbers = [int.from_bytes(from_base64url(part), "big") for part in (x, y)]
    try:
        return ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()
    except ValueError:
        raise BadKey("not a point on P-256") from None


def _verify_ed25519(jwk: dict, signature: bytes, data: bytes) -> None:
    key = _ed25519_key(jwk["x"])
    if signature[:32] == NEUTRAL_BYTES:
        raise BadSignature("R is the neutral element")
    key.verify(signature, data)


@lru_cache(maxsize=1024)
def _ed25519_key(x: str) -> ed25519.Ed25519PublicKey:
    data = from_base64url(x)
    if not is_prime_order_key(data):
        raise BadKey("not a point of prime order")
    return ed25519.Ed25519PublicKey.from_public_bytes(data)


def _verify_mldsa(jwk: dict, signature: bytes, data: bytes) -> None:
    if not mldsa.is_valid(from_base64url(jwk["pub"]), data, signature):
        raise BadSignature("the signature is wrong")


_VERIFY = {"ES256": _verify_es256, "Ed25519": _verify_ed25519, "ML-DSA-44": _verify_mldsa}
