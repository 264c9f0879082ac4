# SPDX-License-Identifier: Apache-2.0
"""c2sp.org/tlog-policy: which keys sign for which log, and whose cosignatures are enough."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..errors import Malformed
from .keys import COSIGNATURE, ED25519, SUBTREE, VerifierKey, parse_verifier_key

MAX_BYTES, MAX_LINES = 1_048_576, 128
AHEAD_SECONDS = 120
NEVER = 1 << 64

_FORBIDDEN = re.compile(rb"[\0-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(rb"[1-9][0-9]*\Z")
_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:[^ ]+\Z")
_LOG_KINDS, _WITNESS_KINDS = (ED25519, SUBTREE), (COSIGNATURE, SUBTREE)
_NONE = b"none"


@dataclass
class Policy:
    """Names are those of the file, as bytes. `quorum` is None for `quorum none`."""

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[bytes, VerifierKey] = field(default_factory=dict)
    groups: dict[bytes, tuple[int, list[bytes]]] = field(default_factory=dict)
    quorum: bytes | None = None

    def is_met(self, cosigned: set[bytes]) -> bool:
        """Whether witnesses of these names are a quorum; nobody is one where none is asked for."""
        return self.quorum is not None and self._counts(self.quorum, cosigned)

    def quorum_time(self, times: dict[bytes, int]) -> int:
        """The latest time such that witnesses who cosigned then or later are a quorum by themselves; 0 for never."""
        return 0 if self.quorum is None else self._time_of(self.quorum, times)

    def _time_of(self, name: bytes, times: dict[bytes, int]) -> int:
        if name not in self.groups:
            return times.get(name, 0)
        least, members = self.groups[name]
        return sorted((self._time_of(member, times) for member in members), reverse=True)[least - 1]

    def quorum_by(self, times: dict[bytes, int]) -> int | None:
        """The earliest time such that witnesses who cosigned then or earlier are a quorum by themselves; None for never."""
        by = NEVER if self.quorum is None else self._by(self.quorum, times)
        return None if by == NEVER else by

    def _by(self, name: bytes, times: dict[bytes, int]) -> int:
        if name not in self.groups:
            return times.get(name, 0) or NEVER
        least, members = self.groups[name]
        return sorted(self._by(member, times) for member in members)[least - 1]

    def since(self, times: dict[bytes, int], now: int) -> int | None:
        """The same, in seconds, without times that are too far ahead of `now`; None for never."""
        counting = {name: time for name, time in times.items() if 0 < time <= now + AHEAD_SECONDS}
        return self.quorum_time(counting) or None

    def _counts(self, name: bytes, cosigned: set[bytes]) -> bool:
        if name not in self.groups:
            return name in cosigned
        least, members = self.groups[name]
        return sum(self._counts(member, cosigned) for member in members) >= least


def parse_policy(data: bytes) -> Policy:
    """Raises Malformed, with the number of the line."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    if len(data) > MAX_BYTES:
        raise Malformed("too long")
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise Malformed("the last line does not end")
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        try:
            reading.take(line)
        except Malformed as error:
            raise Malformed(f"line {number}: {error}") from None
    if not reading.has_quorum:
        raise Malformed("no quorum line")
    return reading.policy


class _Reading:
    def __init__(self) -> None:
        self.policy = Policy()
        self.has_quorum = False
        self._members: set[bytes] = set()
        self._keys: list[VerifierKey] = []

    def take(self, line: bytes) -> None:
        if _FORBIDDEN.search(line):
            raise Malformed("a control character")
        items = [item for item in re.split(rb"[ \t]+", line) if item]
        if not items or items[0].startswith(b"#"):
            return
        keyword, *values = items
        lines = {b"log": (self._log, 1, 2), b"witness": (self._witness, 2, 3),
                 b"group": (self._group, 3, None), b"quorum": (self._quorum, 1, 1)}
        if keyword not in lines:
            raise Malformed("an unknown keyword")
        take, least, most = lines[keyword]
        if len(values) < least or (most is not None and len(values) > most):
            raise Malformed("too few or too many items")
        take(values)

    def _log(self, values: list[bytes]) -> None:
        key = parse_verifier_key(values[0])
        self._take_key(key, _LOG_KINDS, values[1:])
        self.policy.logs.append(key)
        self._check_number(self.policy.logs)

    def _witness(self, values: list[bytes]) -> None:
        key = parse_verifier_key(values[1])
        self._take_key(key, _WITNESS_KINDS, values[2:])
        self._check_free(values[0])
        self.policy.witnesses[values[0]] = key
        self._check_number(self.policy.witnesses)

    def _group(self, values: list[bytes]) -> None:
        name, threshold, *members = values
        self._check_free(name)
        for member in members:
            if not self._is_defined(member):
                raise Malformed("a member that is not defined before")
            if member in self._members:
                raise Malformed("a member twice")
            self._members.add(member)
        named = {b"all": len(members), b"any": 1}
        if threshold not in named and not _THRESHOLD.match(threshold):
            raise Malformed("not a threshold")
        least = named[threshold] if threshold in named else int(threshold)
        if least > len(members):
            raise Malformed("a threshold above the number of members")
        self.policy.groups[name] = (least, members)
        self._check_number(self.policy.groups)

    def _quorum(self, values: list[bytes]) -> None:
        if self.has_quorum:
            raise Malformed("two quorum lines")
        if values[0] != _NONE and not self._is_defined(values[0]):
            raise Malformed("a quorum that is not defined before")
        self.has_quorum = True
        self.policy.quorum = None if values[0] == _NONE else values[0]

    def _is_defined(self, name: bytes) -> bool:
        return name in self.policy.witnesses or name in self.policy.groups

    def _check_free(self, name: bytes) -> None:
        if name == _NONE or self._is_defined(name):
            raise Malformed("a name that is taken")

    def _take_key(self, key: VerifierKey, kinds: tuple[int, ...], urls: list[bytes]) -> None:
        if key.kind not in kinds:
            raise Malformed("a key of a type that does not sign this")
        if any(other.public == key.public or (other.name, other.id) == (key.name, key.id) for other in self._keys):
            raise Malformed("a key twice")
        if any(not _URL.match(url) for url in urls):
            raise Malformed("not a URL")
        self._keys.append(key)

    @staticmethod
    def _check_number(lines: list | dict) -> None:
        if len(lines) > MAX_LINES:
            raise Malformed("too many lines of a kind")
