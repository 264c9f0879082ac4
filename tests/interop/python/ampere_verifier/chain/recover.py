# SPDX-License-Identifier: Apache-2.0
"""Section 5, Rules: the rows of recover blocks."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import time_ms
from ..registry.records import RegistryState
from .authority import (author_of, check_approvals, check_controllers, check_new_devices, check_same_devices,
                        controller_of, device_kids, is_identified)
from .blocks import Block
from .control import check_epoch, check_readers
from .entries import MAX_PENDING, check_not_first
from .state import State, after_recover, member_name, recover_action

RECOVER_DELAY_MS = 72 * 3_600_000
MAX_RECOVER_DELAY_MS = 30 * 86_400_000
FROZEN_MS = 7 * 86_400_000


def check_frozen(block: Block, state: State, registry: RegistryState) -> None:
    """While a recovery waits that was vouched for, those whom it removes change nothing."""
    if block.type not in ("control", "erase", "rehome"):
        return
    waiting = [step for step in state["pending"] if step["kind"] == "recover"
               and time_ms(block.payload["time"]) < time_ms(step["notBefore"]) + FROZEN_MS]
    frozen = {name for step in waiting for name in step["frozen"]}
    signers = [controller_of(kid, state["controllers"], registry)
               for kid in (block.kid, *(approval.kid for approval in block.approvals))]
    if any(member_name(signer) in frozen for signer in signers if signer is not None):
        raise Broken("recover-frozen", "who is to be removed by a recovery that waits changes nothing")


def judge_recover(block: Block, parent: Block, state: State, registry: RegistryState) -> State:
    body, act = block.body, block.body["act"]
    check_not_first(parent)
    _check_author(block, state, registry)
    if (act == "request") != (body["request"] is None) or (act != "request" and body["approvals"]):
        raise Broken("recover-request", "only a request has approvals, and only it names no request")
    if act != "complete" and (body["epoch"] is not None or body["packages"] is not None):
        raise Broken("recover-request", "only a completion brings keys")
    if act == "request":
        _check_request(block, state, registry)
        return after_recover(state, block, is_identified(block, registry))
    step = _step_of(body, state)
    if act == "cancel":
        _check_cancel(block, step, state, registry)
        return after_recover(state, block, False)
    return _completed(block, step, state, registry)


def _check_author(block: Block, state: State, registry: RegistryState) -> None:
    if block.body["act"] == "cancel":
        author = controller_of(block.kid, state["controllers"], registry)
    elif block.body["act"] == "complete":
        return
    else:
        listed = block.kid in device_kids(state["recovery"])
        author = listed or author_of(block.kid, state["controllers"], registry)
    if not author:
        raise Broken("author", "the author may not do this")


def _check_request(block: Block, state: State, registry: RegistryState) -> None:
    body = block.body
    if state["recovery"] is None:
        raise Broken("recovery", "nobody may recover the chain")
    if sum(step["kind"] == "recover" for step in state["pending"]) >= MAX_PENDING:
        raise Broken("pending", "16 recoveries are pending")
    check_approvals(block, state["recovery"], state["seq"], registry)
    before = [state["controllers"], state["recovery"]]
    for listed in (body["controllers"], body["recovery"]):
        if listed is not None:
            check_controllers(listed, registry)
            check_new_devices(before, listed, block, registry, vouched=False)
    removed = device_kids(state["controllers"]) - device_kids(body["controllers"])
    if removed & device_kids(body["recovery"]):
        raise Broken("recover-device", "a device that is removed is listed for recovery")
    if time_ms(body["notBefore"]) < time_ms(block.payload["time"]) + RECOVER_DELAY_MS:
        raise Broken("recover-delay", "notBefore comes too early")
    if time_ms(body["notBefore"]) > time_ms(block.payload["time"]) + MAX_RECOVER_DELAY_MS:
        raise Broken("recover-delay", "notBefore comes too late")


def _step_of(body: dict, state: State) -> dict:
    step = next((step for step in state["pending"]
                 if step["kind"] == "recover" and step["height"] == body["request"]), None)
    if step is None:
        raise Broken("pending", "no such request is pending")
    if step["action"] != recover_action(body) or step["notBefore"] != body["notBefore"]:
        raise Broken("recover-action", "it differs from the request")
    return step


def _check_cancel(block: Block, step: dict, state: State, registry: RegistryState) -> None:
    controller = controller_of(block.kid, state["controllers"], registry)
    stay = {member_name(member) for member in block.body["controllers"]["members"]}
    if step["identified"] and controller is not None and member_name(controller) not in stay:
        raise Broken("recover-removed", "who is to be removed cannot cancel it")


def _completed(block: Block, step: dict, state: State, registry: RegistryState) -> State:
    body = block.body
    named = [listed for listed in (body["controllers"], body["recovery"]) if listed is not None]
    if not any(controller_of(block.kid, listed, registry) for listed in named):
        raise Broken("recover-author", "the author speaks for nobody whom the request names")
    if time_ms(block.payload["time"]) < time_ms(step["notBefore"]):
        raise Broken("recover-early", "the delay has not passed")
    for listed in named:
        check_controllers(listed, registry)
    check_epoch(body, state)
    after = after_recover(state, block, False)
    check_same_devices(after)
    check_readers(body, state, after)
    return after
