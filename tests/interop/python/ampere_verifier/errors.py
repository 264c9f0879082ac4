# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a file. Messages carry neither values nor identifiers of the file."""

from __future__ import annotations


class Malformed(Exception):
    """Not of the form that sections 2, 4, 5 or 7 ask for."""


class MalformedJws(Malformed):
    """Not of the form of section 3."""


class BadSignature(Exception):
    """A signature that does not verify, or whose key is unknown."""


class BadKey(BadSignature):
    """A key that is none (section 3, the table of algorithms)."""


class Broken(Exception):
    """A rule of section 4 or 5 is broken."""

    def __init__(self, rule: str, message: str):
        super().__init__(message)
        self.rule = rule


class Refused(Exception):
    """A file or a sequence of blocks is refused: the code of section 8, and the rule where there is one."""

    def __init__(self, code: str, message: str, rule: str | None = None, height: int | None = None):
        super().__init__(message)
        self.code = code
        self.rule = rule
        self.height = height

    def report(self) -> dict:
        return {"code": self.code, "rule": self.rule, "height": self.height, "message": str(self)}


def code_of(error: Exception, form: str) -> str:
    """The code of a malformed or badly signed statement outside a chain; `form` is that of its payload."""
    if isinstance(error, MalformedJws):
        return "JWS_MALFORMED"
    if isinstance(error, Malformed):
        return form
    return "KEY_MALFORMED" if isinstance(error, BadKey) else "SIGNATURE_INVALID"
