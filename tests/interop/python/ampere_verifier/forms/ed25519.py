# SPDX-License-Identifier: Apache-2.0
"""Section 3: which Ed25519 keys are keys. Public data only, so nothing here is constant-time."""

from __future__ import annotations

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (0, 1, 1, 0)
NEUTRAL_BYTES = b"\x01" + bytes(31)

Point = tuple[int, int, int, int]


def is_prime_order_key(data: bytes) -> bool:
    """A canonical encoding of a point of prime order: not neutral, no small-order part."""
    point = _decode(data)
    if point is None or _is_neutral(point):
        return False
    return _is_neutral(_times(ORDER, point))


def _decode(data: bytes) -> Point | None:
    """RFC 8032 section 5.1.3; None for what is not a point, or not its one encoding."""
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def _add(a: Point, b: Point) -> Point:
    """RFC 8032 section 5.1.4, complete for all points."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def _times(scalar: int, point: Point) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _is_neutral(point: Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0
