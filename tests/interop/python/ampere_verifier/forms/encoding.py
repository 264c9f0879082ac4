# SPDX-License-Identifier: Apache-2.0
"""Section 2, Encodings."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Iterable

from ..errors import Malformed

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z\Z", re.ASCII)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: Any, length: int | None = None) -> bytes:
    """base64url: without padding, slack bits are zero."""
    if not isinstance(text, str) or not _BASE64URL.match(text) or len(text) % 4 == 1:
        raise Malformed("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(data) != text:
        raise Malformed("base64url with slack bits")
    if length is not None and len(data) != length:
        raise Malformed(f"{len(data)} bytes where {length} belong")
    return data


def from_base64(text: str, length: int | None = None) -> bytes:
    """base64 of RFC 4648 section 4, with padding, in its one spelling: what the specifications of C2SP use."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise Malformed("not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Malformed("base64 in another spelling")
    if length is not None and len(data) != length:
        raise Malformed(f"{len(data)} bytes where {length} belong")
    return data


def digest(data: bytes) -> str:
    return to_base64url(sha256(data))


def merkle_root(leaves: Iterable[bytes]) -> str:
    """root(leaves): pairing level by level gives the tree of RFC 6962 section 2.1."""
    level = [sha256(b"\x00" + leaf) for leaf in leaves]
    if not level:
        return digest(b"")
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return to_base64url(level[0])


def utf16(text: str) -> bytes:
    """Bytes that compare as the UTF-16 code units of a text do."""
    return text.encode("utf-16-be", "surrogatepass")


def is_sorted(texts: list[str]) -> bool:
    """Sorted: strictly ascending by UTF-16 code units."""
    return all(utf16(a) < utf16(b) for a, b in zip(texts, texts[1:]))


def _ordered(value: Any, depth: int = 0) -> Any:
    """The value with every object in the order of RFC 8785, if canonical JSON can hold it."""
    if depth > MAX_DEPTH:
        raise Malformed("nested too deeply")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not 0 <= value <= MAX_INTEGER:
            raise Malformed("a number outside 0..2^53-1")
        return value
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Malformed("a string that is not well-formed Unicode")
        return value
    if isinstance(value, list):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_ordered(key, depth): _ordered(value[key], depth + 1) for key in sorted(value, key=utf16)}
    raise Malformed("a number that is not an integer")


def canonical(value: Any) -> bytes:
    text = json.dumps(_ordered(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def parse_canonical(data: bytes) -> Any:
    """The value of a document that is byte for byte the canonical form of its parse."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed("not JSON in UTF-8") from None
    if canonical(value) != data:
        raise Malformed("JSON that is not canonical")
    return value


def time_ms(text: Any) -> int:
    """Timestamp, as milliseconds since the year 0."""
    match = _TIMESTAMP.match(text) if isinstance(text, str) else None
    if match is None:
        raise Malformed("not a timestamp")
    year, month, day, hour, minute, second, ms = (int(part) for part in match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] + (leap and month == 2):
        raise Malformed("not a day of the calendar")
    if hour > 23 or minute > 59 or second > 59:
        raise Malformed("not a time of the day")
    years = 365 * year + (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400
    days = years + sum(_DAYS[: month - 1]) + (leap and month > 2) + day - 1
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms


def day_after(text: str) -> str:
    """The timestamp 24 hours later; the last one that can be written where there is none."""
    time_ms(text)
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10]) + 1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _DAYS[month - 1] + (leap and month == 2):
        month, day = month + 1, 1
    if month > 12:
        year, month = year + 1, 1
    return f"{year:04}-{month:02}-{day:02}{text[10:]}" if year <= 9999 else "9999-12-31T23:59:59.999Z"
