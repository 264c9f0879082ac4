# SPDX-License-Identifier: Apache-2.0
"""c2sp.org/signed-note and c2sp.org/tlog-checkpoint: their forms. Nothing is verified here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import Malformed
from ..forms.encoding import MAX_INTEGER, from_base64

MAX_NOTE_BYTES, MAX_SIGNATURES = 131_072, 64
MAX_NAME_BYTES = 255

_CONTROL = re.compile("[\0-\x09\x0b-\x1f]")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_DASH = "\u2014 "


@dataclass(frozen=True)
class NoteSignature:
    """A signature line: whose it says it is, and what follows the key id."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint; `text` is what is signed."""

    text: str
    origin: str
    size: int
    root: bytes
    is_extended: bool
    signatures: tuple[NoteSignature, ...]


def is_key_name(name: str) -> bool:
    return (is_name(name) and "+" not in name and not _CONTROL.search(name)
            and not any(character.isspace() for character in name))


def is_name(text: str) -> bool:
    """The length of an origin and of a key's name."""
    return 1 <= len(text.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES


def parse_decimal(text: str) -> int:
    """ASCII decimal without leading zeros, at most 2^53 - 1."""
    if not _DECIMAL.match(text) or int(text) > MAX_INTEGER:
        raise Malformed("not a decimal number")
    return int(text)


def parse_checkpoint(note: str) -> Checkpoint:
    if len(note.encode("utf-8")) > MAX_NOTE_BYTES:
        raise Malformed("a note that is too long")
    if _CONTROL.search(note):
        raise Malformed("a note with a control character")
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n"):
        raise Malformed("not a signed note")
    text, lines = note[:end + 1], note[end + 2:-1].split("\n")
    if len(lines) > MAX_SIGNATURES or len(set(lines)) < len(lines):
        raise Malformed("too many signatures, or one twice")
    signatures = tuple(parse_signature(line) for line in lines)
    body = text[:-1].split("\n")
    if len(body) < 3 or "" in body or not is_name(body[0]):
        raise Malformed("not the text of a checkpoint")
    root = from_base64(body[2], 32)
    return Checkpoint(text, body[0], parse_decimal(body[1]), root, len(body) > 3, signatures)


def parse_signature(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise Malformed("not a signature line")
    parts = line[len(_DASH):].split(" ")
    if len(parts) != 2 or not is_key_name(parts[0]):
        raise Malformed("not a signature line")
    data = from_base64(parts[1])
    if len(data) <= 4:
        raise Malformed("a signature line without a signature")
    return NoteSignature(parts[0], data[:4], data[4:])
