# SPDX-License-Identifier: Apache-2.0
"""Section 5, Rules: the rows of record and erase blocks."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import time_ms
from ..registry.records import RegistryState
from .authority import author_of, check_approvals, controller_of, is_devices_own
from .blocks import Block
from .control import is_in_force
from .state import State, after_erase, erase_action, grant_of

ERASE_DELAY_MS = 72 * 3_600_000
MAX_PENDING = 16


def check_not_first(parent: Block) -> None:
    if parent.type == "genesis":
        raise Broken("first-control", "height 1 is the control block with the first grants")


def judge_record(block: Block, parent: Block, state: State, registry: RegistryState) -> State:
    entries = block.entries or {}
    wanted = set(entries["compartments"])
    check_not_first(parent)
    if entries["epoch"] != state["epoch"]["number"]:
        raise Broken("epoch", "entries are sealed for another epoch")
    if not wanted <= {compartment["id"] for compartment in state["compartments"]}:
        raise Broken("compartment", "a compartment that the chain does not have")
    author = author_of(block.kid, state["controllers"], registry)
    if author is None:
        raise Broken("author", "neither an active instance nor a device of the chain")
    if author.institution is None:
        return state
    grant = grant_of(state, author.institution)
    if grant is None or not is_in_force(grant, block.payload["time"]):
        raise Broken("grant", "the author has no grant in force")
    if state["purpose"] == "access" and "read" in grant["rights"]:
        return state
    if "append" not in grant["rights"]:
        raise Broken("right", "the grant has no right to append")
    if state["purpose"] == "access":
        return state
    if not wanted <= set(grant["compartments"]):
        raise Broken("compartment", "the grant lacks a compartment")
    return state


def judge_erase(block: Block, parent: Block, state: State, registry: RegistryState) -> State:
    body = block.body
    check_not_first(parent)
    if controller_of(block.kid, state["controllers"], registry) is None:
        raise Broken("author", "the author speaks for no controller")
    requests = body["act"] == "request"
    if requests != (body["request"] is None) or (not requests and body["approvals"]):
        raise Broken("erase-request", "only a request has approvals, and only it names no request")
    if requests:
        _check_request(block, state, registry)
    else:
        _check_settlement(block, state)
    return after_erase(state, block)


def _check_request(block: Block, state: State, registry: RegistryState) -> None:
    body = block.body
    if state["hold"]:
        raise Broken("hold", "the record is on hold")
    if state["purpose"] == "access" and body["scope"] == "entries":
        raise Broken("access-erase", "single entries of an access chain cannot be erased")
    if (body["scope"] == "record") != (not body["targets"]):
        raise Broken("targets", "an erasure of entries, and only that, names targets")
    if any(target["height"] >= block.height for target in body["targets"]):
        raise Broken("targets", "a target is not below the request")
    if sum(step["kind"] == "erase" for step in state["pending"]) >= MAX_PENDING:
        raise Broken("pending", "16 erasures are pending")
    check_approvals(block, state["controllers"], state["seq"], registry, per_institution=2)
    delay = 0 if is_devices_own(block, state) else ERASE_DELAY_MS
    if time_ms(body["notBefore"]) < time_ms(block.payload["time"]) + delay:
        raise Broken("erase-delay", "notBefore comes too early")


def _check_settlement(block: Block, state: State) -> None:
    body, completes = block.body, block.body["act"] == "complete"
    step = next((step for step in state["pending"]
                 if step["kind"] == "erase" and step["height"] == body["request"]), None)
    if step is None:
        raise Broken("pending", "no such request is pending")
    if completes and state["hold"]:
        raise Broken("hold", "the record is on hold")
    if step["action"] != erase_action(body) or step["notBefore"] != body["notBefore"]:
        raise Broken("erase-action", "it differs from the request")
    if completes and time_ms(block.payload["time"]) < time_ms(step["notBefore"]):
        raise Broken("erase-early", "the delay has not passed")
