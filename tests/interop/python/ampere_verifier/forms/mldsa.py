# SPDX-License-Identifier: Apache-2.0
"""Section 3, ML-DSA-44: verification by FIPS 204, in Python alone. Algorithms are those of that standard by number.

Nothing here is secret, so nothing is done in constant time."""

from __future__ import annotations

from functools import lru_cache
from hashlib import shake_128, shake_256

PUBLIC_BYTES, SIGNATURE_BYTES = 1312, 2420

# FIPS 204, section 4, table 1, the column of ML-DSA-44.
Q, N, D = 8_380_417, 256, 13
K = L = 4
TAU, GAMMA1, GAMMA2, ETA, OMEGA = 39, 1 << 17, (Q - 1) // 88, 2, 80
BETA = TAU * ETA
CHALLENGE_BYTES, Z_BYTES = 32, 576
ROOT_OF_UNITY, INVERSE_OF_N = 1753, 8_347_681

Poly = list[int]

_ZETAS = [pow(ROOT_OF_UNITY, int(f"{m:08b}"[::-1], 2), Q) for m in range(N)]


def is_valid(public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
    """Algorithm 3, ML-DSA.Verify, and algorithm 8 below it."""
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES or len(context) > 255:
        return False
    matrix, key, key_hash = _expanded(public)
    challenge = signature[:CHALLENGE_BYTES]
    hints = _unpack_hints(signature[CHALLENGE_BYTES + L * Z_BYTES:])
    z = [[GAMMA1 - value for value in _unpack(signature[start:start + Z_BYTES], 18)]
         for start in range(CHALLENGE_BYTES, CHALLENGE_BYTES + L * Z_BYTES, Z_BYTES)]
    if hints is None or any(abs(value) >= GAMMA1 - BETA for poly in z for value in poly):
        return False
    z_ntt, c_ntt = [_ntt(poly) for poly in z], _ntt(_sample_in_ball(challenge))
    mu = shake_256(key_hash + bytes([0, len(context)]) + context + message).digest(64)
    encoded = b""
    for row in range(K):
        a, t = matrix[row], key[row]
        w = _inverse_ntt([(sum(a[s][i] * z_ntt[s][i] for s in range(L)) - c_ntt[i] * t[i]) % Q for i in range(N)])
        encoded += _pack([_use_hint(i in hints[row], value) for i, value in enumerate(w)], 6)
    return shake_256(mu + encoded).digest(CHALLENGE_BYTES) == challenge


@lru_cache(maxsize=64)
def _expanded(public: bytes) -> tuple[list[list[Poly]], list[Poly], bytes]:
    """What depends on the key alone: the matrix, t1 * 2^d in NTT form (algorithm 23), and the key's hash."""
    rho = public[:32]
    matrix = [[_reject_ntt(rho + bytes([s, r])) for s in range(L)] for r in range(K)]
    packed = [public[start:start + 320] for start in range(32, PUBLIC_BYTES, 320)]
    key = [_ntt([value << D for value in _unpack(part, 10)]) for part in packed]
    return matrix, key, shake_256(public).digest(64)


def _reject_ntt(seed: bytes) -> Poly:
    """Algorithm 30, RejNTTPoly."""
    blocks = 5
    while True:
        data = shake_128(seed).digest(168 * blocks)
        values = [value for value in (int.from_bytes(data[i:i + 3], "little") & 0x7FFFFF
                                      for i in range(0, len(data) - 2, 3)) if value < Q]
        if len(values) >= N:
            return values[:N]
        blocks += 1


def _sample_in_ball(seed: bytes) -> Poly:
    """Algorithm 29, SampleInBall."""
    length = 136
    while True:
        data = iter(shake_256(seed).digest(length))
        signs = int.from_bytes(bytes(next(data) for _ in range(8)), "little")
        poly = [0] * N
        try:
            for i in range(N - TAU, N):
                j = next(byte for byte in data if byte <= i)
                poly[i] = poly[j]
                poly[j] = -1 if signs >> (i + TAU - N) & 1 else 1
            return poly
        except StopIteration:
            length += 136


def _unpack_hints(data: bytes) -> list[set[int]] | None:
    """Algorithm 21, HintBitUnpack; None where it gives none."""
    hints, index = [], 0
    for end in data[OMEGA:]:
        if not index <= end <= OMEGA:
            return None
        places = data[index:end]
        if any(a >= b for a, b in zip(places, places[1:])):
            return None
        hints.append(set(places))
        index = end
    return None if any(data[index:OMEGA]) else hints


def _use_hint(hint: bool, value: int) -> int:
    """Algorithms 36 and 40, Decompose and UseHint."""
    low = value % (2 * GAMMA2)
    if low > GAMMA2:
        low -= 2 * GAMMA2
    high = (value - low) // (2 * GAMMA2)
    if value - low == Q - 1:
        high, low = 0, low - 1
    if not hint:
        return high
    return (high + (1 if low > 0 else -1)) % ((Q - 1) // (2 * GAMMA2))


def _ntt(poly: Poly) -> Poly:
    """Algorithm 41."""
    w, m, length = poly, 0, N // 2
    while length >= 1:
        after: Poly = []
        for start in range(0, N, 2 * length):
            m += 1
            zeta = _ZETAS[m]
            low = w[start:start + length]
            high = [zeta * value % Q for value in w[start + length:start + 2 * length]]
            after += [a + b for a, b in zip(low, high)]
            after += [a - b for a, b in zip(low, high)]
        w, length = after, length // 2
    return [value % Q for value in w]


def _inverse_ntt(poly: Poly) -> Poly:
    """Algorithm 42."""
    w, m, length = poly, N, 1
    while length < N:
        after: Poly = []
        for start in range(0, N, 2 * length):
            m -= 1
            zeta = -_ZETAS[m]
            low, high = w[start:start + length], w[start + length:start + 2 * length]
            after += [a + b for a, b in zip(low, high)]
            after += [zeta * (a - b) % Q for a, b in zip(low, high)]
        w, length = after, length * 2
    return [INVERSE_OF_N * value % Q for value in w]


def _unpack(data: bytes, bits: int) -> Poly:
    """Little-endian fields of so many bits (algorithms 18 and 19)."""
    whole, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    return [whole >> shift & mask for shift in range(0, 8 * len(data), bits)]


def _pack(values: Poly, bits: int) -> bytes:
    """Algorithm 16, SimpleBitPack."""
    whole = 0
    for value in reversed(values):
        whole = whole << bits | value
    return whole.to_bytes(N * bits // 8, "little")
