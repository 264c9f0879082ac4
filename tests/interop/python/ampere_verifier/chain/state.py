# SPDX-License-Identifier: Apache-2.0
"""Section 5, Control state: the table of states after a block, and who can read in a state."""

from __future__ import annotations

from typing import Any

from ..forms.encoding import canonical, digest, from_base64url, utf16
from .blocks import Block

State = dict[str, Any]


def key_digests(keys: list[dict]) -> list[dict]:
    return [{"id": key["id"], "key": digest(from_base64url(key["key"]))} for key in keys]


def erase_action(body: dict) -> str:
    return digest(canonical({member: body[member] for member in ("ground", "scope", "targets")}))


def recover_action(body: dict) -> str:
    return digest(canonical({member: body[member] for member in ("controllers", "recovery")}))


def after_genesis(body: dict) -> State:
    return {
        "v": 1, "purpose": body["purpose"], "of": body["of"], "seq": 0, "home": body["home"],
        "controllers": body["controllers"], "recovery": None, "grants": [],
        "compartments": key_digests(body["compartments"]), "epoch": {"number": 1, "height": 0},
        "labelKeyHash": body["labelKeyHash"], "access": None, "hold": False, "pending": [], "ended": False,
    }


def after_control(state: State, block: Block) -> State:
    body = block.body
    dropped = {*body["grants"]["remove"], *(grant["institution"] for grant in body["grants"]["put"])}
    grants = [grant for grant in state["grants"] if grant["institution"] not in dropped]
    grants = sorted([*grants, *body["grants"]["put"]], key=lambda grant: utf16(grant["institution"]))
    after = {**state, "seq": state["seq"] + 1, "grants": grants}
    for member in ("controllers", "access", "hold"):
        if body[member] is not None:
            after[member] = body[member]
    if "recovery" in body:
        after["recovery"] = body["recovery"]
    return _with_epoch(after, block)


def _with_epoch(after: State, block: Block) -> State:
    epoch = block.body["epoch"]
    if epoch is None:
        return after
    return {**after, "compartments": key_digests(epoch["compartments"]), "labelKeyHash": epoch["labelKeyHash"],
            "epoch": {"number": after["epoch"]["number"] + 1, "height": block.height}}


def after_recover(state: State, block: Block, identified: bool) -> State:
    body, pending = block.body, state["pending"]
    after = {**state, "seq": state["seq"] + 1}
    if body["act"] == "request":
        step = {"kind": "recover", "height": block.height, "action": recover_action(body),
                "notBefore": body["notBefore"], "identified": identified,
                "frozen": _removed_by(state, body) if identified else []}
        return {**after, "pending": [*pending, step]}
    if body["act"] == "cancel":
        return {**after, "pending": [step for step in pending if step["height"] != body["request"]]}
    rest = [step for step in pending if step["kind"] != "recover"]
    listed = {"controllers": body["controllers"], "recovery": body["recovery"]}
    return _with_epoch({**after, **listed, "pending": rest}, block)


def _removed_by(state: State, body: dict) -> list[str]:
    stay = {member_name(member) for member in body["controllers"]["members"]}
    return sorted({member_name(member) for member in state["controllers"]["members"]} - stay, key=utf16)


def after_erase(state: State, block: Block) -> State:
    body, pending = block.body, state["pending"]
    if body["act"] == "request":
        step = {"kind": "erase", "height": block.height, "action": erase_action(body),
                "notBefore": body["notBefore"]}
        return {**state, "seq": state["seq"] + 1, "pending": [*pending, step]}
    rest = [step for step in pending if step["height"] != body["request"]]
    ended = body["act"] == "complete" and body["scope"] == "record"
    return {**state, "seq": state["seq"] + 1, "pending": rest, "ended": ended}


def member_name(member: dict) -> str:
    return member["kid"] if member["kind"] == "device" else member["institution"]


def devices_of(listed: dict | None) -> list[dict]:
    return [member for member in (listed["members"] if listed else []) if member["kind"] == "device"]


def grant_of(state: State, institution: str) -> dict | None:
    return next((grant for grant in state["grants"] if grant["institution"] == institution), None)


def readable(state: State) -> dict[str, set[str]]:
    """Each reader with the compartments that it may read."""
    readers = {grant["institution"]: set(grant["compartments"])
               for grant in state["grants"] if "read" in grant["rights"]}
    everything = {compartment["id"] for compartment in state["compartments"]}
    members = [*state["controllers"]["members"], *devices_of(state["recovery"])]
    return {**readers, **{member_name(member): everything for member in members}}


def reading_institutions(state: State) -> set[str]:
    devices = {member["kid"] for listed in (state["controllers"], state["recovery"])
               for member in devices_of(listed)}
    return set(readable(state)) - devices
