# SPDX-License-Identifier: Apache-2.0
"""Section 8, step 1: the lines of an export file."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import Malformed, Refused
from .forms.encoding import digest, from_base64url, parse_canonical
from .forms.shapes import count, digest_text, either, nullable, obj, one_of, string

_FIRST = obj({"ampere": one_of("export/v1"), "chain": digest_text, "origin": string, "registry": digest_text})
_PART = either(obj({"registryBlock": string}), obj({"block": string}), obj({"of": string, "row": string}),
               obj({"object": string, "of": string}), obj({"erased": string}), obj({"head": string}),
               obj({"checkpoint": string}), obj({"of": count, "receipt": string, "under": digest_text}),
               obj({"of": count, "registryReceipt": string, "under": digest_text}),
               obj({"labelKey": digest_text}),
               obj({"found": nullable(obj({"hash": digest_text, "receipt": string})), "lookup": string, "of": string,
                    "under": digest_text}))


@dataclass(frozen=True)
class Lookup:
    """A monitor's answer: its statement, the checkpoint that this is about, and the leaf that it found."""

    jws: str
    under: str
    found: dict | None


@dataclass
class Export:
    """The lines of a file, sorted by kind; nothing is verified yet."""

    first: dict
    registry_blocks: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    checkpoints: dict[str, str] = field(default_factory=dict)
    receipts: dict[int, tuple[str, str]] = field(default_factory=dict)
    registry_receipts: dict[int, tuple[str, str]] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    label_key: bytes | None = None

    def take(self, part: dict) -> None:
        if "row" in part:
            self._keep(self.rows, part["of"], part["row"])
        elif "object" in part:
            self._keep(self.objects, part["of"], from_base64url(part["object"]))
        elif "checkpoint" in part:
            self._keep(self.checkpoints, digest(part["checkpoint"].encode("utf-8")), part["checkpoint"])
        elif "receipt" in part:
            self._keep_receipt(self.receipts, part, part["receipt"])
        elif "registryReceipt" in part:
            self._keep_receipt(self.registry_receipts, part, part["registryReceipt"])
        elif "labelKey" in part:
            if self.label_key is not None:
                raise Malformed("a part occurs twice")
            self.label_key = from_base64url(part["labelKey"], 32)
        elif "lookup" in part:
            self._check_under(part)
            self._keep(self.lookups, part["of"], Lookup(part["lookup"], part["under"], part["found"]))
        else:
            (kind, text), = part.items()
            lists = {"registryBlock": self.registry_blocks, "block": self.blocks, "erased": self.erased,
                     "head": self.heads}
            lists[kind].append(text)

    def proof(self, receipt: tuple[str, str] | None) -> str | None:
        """The whole tlog-proof of a receipt: its text, and the checkpoint that it is under."""
        return receipt and receipt[0] + self.checkpoints[receipt[1]]

    def _keep_receipt(self, receipts: dict, part: dict, text: str) -> None:
        self._check_under(part)
        self._keep(receipts, part["of"], (text, part["under"]))

    def _check_under(self, part: dict) -> None:
        if part["under"] not in self.checkpoints:
            raise Malformed("under a checkpoint that does not stand before it")

    @staticmethod
    def _keep(parts: dict, name: str | int, value: str | bytes | tuple[str, str] | Lookup) -> None:
        if name in parts:
            raise Malformed("a part occurs twice")
        parts[name] = value


def read_export(data: bytes) -> Export:
    """Step 1."""
    lines = data.split(b"\n")
    if lines.pop() != b"" or not lines:
        raise Refused("EXPORT_MALFORMED", "empty, or the file ends inside a line")
    export = None
    for number, line in enumerate(lines, 1):
        try:
            value = parse_canonical(line)
            if export is None:
                export = Export(_FIRST(value))
            else:
                export.take(_PART(value))
        except Malformed as error:
            raise Refused("EXPORT_MALFORMED", f"line {number}: {error}") from None
    if export is None or len(export.heads) != 1:
        raise Refused("EXPORT_MALFORMED", "not exactly one head statement")
    return export
