# SPDX-License-Identifier: Apache-2.0
"""Section 7: erasure statements, and the holders of an erasure."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..chain.blocks import Block
from ..chain.fold import Chain
from ..chain.state import reading_institutions
from ..errors import BadSignature, Malformed
from ..forms.encoding import time_ms
from ..forms.jws import Statement, parse_statement
from ..forms.shapes import digest_text, obj, one_of, text_of, timestamp
from ..registry.records import RegistryState

MAX_CHARACTERS = 8_192
_ERASED = obj({"v": one_of(1), "chain": digest_text, "block": digest_text, "store": text_of(255),
               "at": timestamp, "backupsExpire": timestamp})


@dataclass
class Erasure:
    """A completed erasure. `targets` has ids by height; None stands for the whole record."""

    block: Block
    targets: dict[int, set[str]] | None
    holders: set[str]
    stated: dict[str, list[str]] = field(default_factory=dict)

    def touches(self, height: int) -> bool:
        return self.targets is None or height in self.targets

    def is_over(self, now_ms: int) -> bool:
        """`erased`: every holder has stated it, and no backup of a holder is left."""
        return self.holders <= set(self.stated) and all(
            time_ms(end) <= now_ms for ends in self.stated.values() for end in ends)

    def report(self, now_ms: int) -> dict:
        ends = [end for ends in self.stated.values() for end in ends]
        return {
            "height": self.block.height, "status": "erased" if self.is_over(now_ms) else "erasing",
            "stated": sorted(self.stated), "owing": sorted(self.holders - set(self.stated)),
            "backupsExpire": max(ends, key=time_ms) if ends else None,
        }


def completed_erasures(chain: Chain) -> list[Erasure]:
    found = []
    for block in chain.blocks:
        if block.type == "erase" and block.body["act"] == "complete":
            targets = None
            if block.body["scope"] == "entries":
                targets = {target["height"]: set(target["ids"]) for target in block.body["targets"]}
            oldest = 0 if targets is None else min(targets)
            now = chain.states[-1]["home"]["origin"]
            homes = {state["home"]["origin"] for state in chain.states[oldest:block.height]
                     if state["home"]["origin"] == now or not _is_retired(state["home"], chain.registry.newest)}
            bridges = {f"bridge:{name}" for state in chain.states[oldest:block.height]
                       for name in reading_institutions(state)}
            mirrors = {f"mirror:{grant['institution']}" for state in chain.states[oldest:block.height]
                       for grant in state["grants"] if "hold" in grant["rights"]}
            found.append(Erasure(block, targets, {*homes, *bridges, *mirrors}))
    return found


def _is_retired(home: dict, registry: RegistryState) -> bool:
    """Whether the key of a deployment was retired and none came in its place: its institution says that its stores are gone."""
    deployment = registry.get("deployment", home["deployment"])
    if deployment is None or deployment["origin"] != home["origin"]:
        return False
    key = registry.get("key", deployment["kid"])
    return key is not None and key["revoked"] is not None and key["revoked"]["reason"] == "retired"


def named_at(erasures: list[Erasure], height: int) -> set[str] | None:
    """The ids that completed erasures name at a height; None for all of them."""
    if any(erasure.targets is None and height < erasure.block.height for erasure in erasures):
        return None
    return set().union(*(erasure.targets.get(height, set()) for erasure in erasures if erasure.targets))


def take_statement(jws: str, chain: Chain, erasures: list[Erasure]) -> None:
    """Counts one statement; one that does not verify, or is for another chain, is passed over."""
    try:
        statement = parse_statement(jws, "ampere-erased+jws", MAX_CHARACTERS)
        claim = _ERASED(statement.payload)
        if claim["chain"] != chain.id:
            return
        homes = [state["home"] for state in chain.states]
        statement.verify(_key_for(statement, claim["store"], homes, chain.registry.newest))
    except (Malformed, BadSignature):
        return
    for erasure in erasures:
        if erasure.block.id == claim["block"] and claim["store"] in erasure.holders:
            erasure.stated.setdefault(claim["store"], []).append(claim["backupsExpire"])


def _key_for(statement: Statement, store: str, homes: list[dict], registry: RegistryState) -> dict | None:
    """A home's as for head statements, by the deployment that the chain was at; for a bridge or a mirror any instance's key but a compromised one."""
    record = registry.get("key", statement.kid)
    deployments = {home["deployment"] for home in homes if home["origin"] == store}
    if deployments:
        is_its_own = record is not None and record["owner"].get("deployment") in deployments
        return registry.head_key(statement.kid, store) if is_its_own else None
    if record is None or record["use"] != "sign" or "instance" not in record["owner"]:
        return None
    institution = record["owner"]["institution"]
    if record["revoked"] is not None and record["revoked"]["reason"] == "compromised":
        return None
    is_its = store in (f"bridge:{institution}", f"mirror:{institution}") and registry.get("institution", institution) is not None
    return record["jwk"] if is_its else None
