# SPDX-License-Identifier: Apache-2.0
"""Section 8, Export file: its lines, and how it is verified."""

from __future__ import annotations

from dataclasses import dataclass, field

from .chain.fold import Chain
from .errors import BadSignature, Malformed, Refused, code_of
from .forms.encoding import from_base64url, parse_canonical, time_ms
from .forms.jws import parse_statement
from .forms.shapes import HEAD, count, digest_text, either, obj, one_of, string, timestamp
from .parts.erasures import MAX_CHARACTERS, completed_erasures, take_statement
from .parts.status import broken_batches, judge_parts
from .registry.fold import Registry

_FIRST = obj({"ampere": one_of("export/v1"), "chain": digest_text, "origin": string, "registry": digest_text})
_PART = either(obj({"registryBlock": string}), obj({"block": string}), obj({"of": string, "row": string}),
               obj({"object": string, "of": string}), obj({"erased": string}), obj({"head": string}))
_HEAD = obj({"v": one_of(1), "chain": digest_text, "height": count, "block": digest_text, "registry": HEAD,
             "time": timestamp, "origin": string, "durability": one_of("local", "region", "mirrored")})


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

    def take(self, part: dict) -> None:
        if "row" in part:
            self._keep(self.rows, part["of"], part["row"])
        elif "object" in part:
            self._keep(self.objects, part["of"], from_base64url(part["object"]))
        else:
            (kind, text), = part.items()
            lists = {"registryBlock": self.registry_blocks, "block": self.blocks, "erased": self.erased,
                     "head": self.heads}
            lists[kind].append(text)

    @staticmethod
    def _keep(parts: dict, name: str, value: str | bytes) -> None:
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


def fold_registry(export: Export, pinned: str | None) -> Registry:
    """Step 2."""
    if pinned is not None and export.first["registry"] != pinned:
        raise Refused("VERIFICATION_FAILED", "another registry than the pinned one", "registry")
    registry = Registry(export.first["registry"])
    for jws in export.registry_blocks:
        registry.add(jws)
    if not registry.ids:
        raise Refused("VERIFICATION_FAILED", "the file holds no registry", "registry")
    return registry


def check_head(export: Export, chain: Chain) -> dict:
    """Step 4."""
    origin = export.first["origin"]

    def failed(message: str) -> Refused:
        return Refused("VERIFICATION_FAILED", f"head statement: {message}", "head")

    if chain.blocks and chain.states[-1]["home"]["origin"] != origin:
        raise Refused("VERIFICATION_FAILED", "the file is not by the home that the chain names", "home")
    try:
        statement = parse_statement(export.heads[0], "ampere-head+jws", MAX_CHARACTERS)
        head = _HEAD(statement.payload)
        key = chain.registry.newest.head_key(statement.kid, origin)
        if key is None:
            raise failed("not by an unrevoked key of the deployment at the origin")
        statement.verify(key)
    except (Malformed, BadSignature) as error:
        raise Refused(code_of(error, "REQUEST_MALFORMED"), f"head statement: {error}") from None
    last = chain.blocks[-1] if chain.blocks else None
    if head["origin"] != origin:
        raise failed("of another origin")
    if last is None or (head["chain"], head["height"], head["block"]) != (chain.id, last.height, last.id):
        raise failed("it does not name the last block")
    return head


def verify(data: bytes, pinned: str | None = None, now: str | None = None) -> dict:
    """All steps, in order. Refuses the file, or reports what it shows; `now` is a timestamp."""
    export = read_export(data)
    registry = fold_registry(export, pinned)
    chain = Chain(export.first["chain"], registry)
    for jws in export.blocks:
        chain.add(jws)
    head = check_head(export, chain)
    now_ms = time_ms(now or head["time"])
    erasures = completed_erasures(chain, export.first["origin"])
    for jws in export.erased:
        take_statement(jws, chain, export.first["origin"], erasures)
    open_batches, statuses, problems = broken_batches(chain.blocks), [], []
    entries = erased = 0
    for block in chain.blocks:
        named = block.entries or {"root": "", "keys": "", "count": 0}
        row = export.rows.get(f"{named['root']}.{named['keys']}")
        found = judge_parts(block, row, export.objects.get(named["root"]), erasures, now_ms)
        if block.height in open_batches:
            found.statuses.append("incomplete")
        statuses.append(found.status)
        problems += found.problems
        entries += named["count"]
        erased += found.erased
    return {
        **{member: export.first[member] for member in ("chain", "registry", "origin")},
        "blocks": len(chain.blocks), "entries": entries, "erased": erased, "asOf": head["time"],
        "statuses": statuses, "erasures": [erasure.report(now_ms) for erasure in erasures],
        "problems": problems,
    }
