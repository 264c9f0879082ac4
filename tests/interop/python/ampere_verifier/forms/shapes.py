# SPDX-License-Identifier: Apache-2.0
"""Section 2, the table of types: checkers that raise Malformed and return the value they were given."""

from __future__ import annotations

import re
from typing import Any, Callable

from ..errors import Malformed
from .encoding import from_base64url, is_sorted, time_ms, utf16

Check = Callable[[Any], Any]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


def obj(members: dict[str, Check], optional: tuple[str, ...] = ()) -> Check:
    """A closed object: exactly these members; the optional ones may be absent."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Malformed("not an object")
        if any(name not in members for name in value):
            raise Malformed("an unknown member")
        for name, member in members.items():
            if name in value:
                try:
                    member(value[name])
                except Malformed as error:
                    raise type(error)(f"{name}: {error}") from None
            elif name not in optional:
                raise Malformed(f"{name}: absent")
        return value

    return check


def arr(item: Check, most: int, least: int = 0) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise Malformed(f"not an array of {least} to {most} items")
        for element in value:
            item(element)
        return value

    return check


def sorted_by(key: Callable[[Any], str], items: Check) -> Check:
    def check(value: Any) -> Any:
        if not is_sorted([key(item) for item in items(value)]):
            raise Malformed("not sorted, or one twice")
        return value

    return check


def sorted_arr(item: Check, most: int, least: int = 0) -> Check:
    return sorted_by(lambda text: text, arr(item, most, least))


def one_of(*values: Any) -> Check:
    def check(value: Any) -> Any:
        if not any(type(value) is type(known) and value == known for known in values):
            raise Malformed("none of the allowed values")
        return value

    return check


def nullable(inner: Check) -> Check:
    return lambda value: None if value is None else inner(value)


def either(*checks: Check) -> Check:
    def check(value: Any) -> Any:
        for candidate in checks:
            try:
                return candidate(value)
            except Malformed:
                continue
        raise Malformed("none of the allowed shapes")

    return check


def tagged(tag: str, shapes: dict[str, Check]) -> Check:
    """An object whose member `tag` says which shape it has."""

    def check(value: Any) -> Any:
        name_ = value.get(tag) if isinstance(value, dict) else None
        if not isinstance(name_, str) or name_ not in shapes:
            raise Malformed(f"{tag}: unknown or absent")
        return shapes[name_](value)

    return check


def count_in(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Malformed(f"not an integer {least}..{most}")
        return value

    return check


def string(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed("not a text")
    return value


def text_of(most: int) -> Check:
    """text(n): 1 to n UTF-16 code units."""

    def check(value: Any) -> str:
        if not 1 <= len(utf16(string(value))) // 2 <= most:
            raise Malformed(f"not 1 to {most} characters")
        return value

    return check


def name(value: Any) -> str:
    if not _NAME.match(string(value)):
        raise Malformed("not a name")
    return value


def timestamp(value: Any) -> str:
    time_ms(value)
    return value


def bytes_of(length: int) -> Check:
    def check(value: Any) -> str:
        from_base64url(value, length)
        return value

    return check


def jws_text(value: Any) -> str:
    if len(string(value)) > 16_384:
        raise Malformed("longer than 16,384 characters")
    return value


count = count_in(0, 2**53 - 1)
boolean = one_of(True, False)
digest_text = bytes_of(32)
id16 = bytes_of(16)
sealing_key = bytes_of(1216)
origin = text_of(255)
HEAD = obj({"height": count, "id": digest_text})
JWK = tagged("kty", {
    "EC": obj({"crv": one_of("P-256"), "kty": one_of("EC"), "x": bytes_of(32), "y": bytes_of(32)}),
    "OKP": obj({"crv": one_of("Ed25519"), "kty": one_of("OKP"), "x": bytes_of(32)}),
    "AKP": obj({"alg": one_of("ML-DSA-44"), "kty": one_of("AKP"), "pub": bytes_of(1312)}),
})
