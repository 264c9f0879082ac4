# SPDX-License-Identifier: Apache-2.0
"""Section 5, Rules: the rows of genesis and control blocks."""

from __future__ import annotations

from ..errors import Broken
from ..forms.encoding import time_ms
from ..registry.records import RegistryState
from .authority import (author_of, check_approvals, check_controllers, check_new_devices, check_same_devices,
                        controller_of)
from .blocks import Block
from .state import State, after_control, after_genesis, grant_of, key_digests, readable


def judge_genesis(block: Block, registry: RegistryState, registry_id: str) -> State:
    body = block.body
    author = author_of(block.kid, None, registry)
    if author is None:
        raise Broken("author", "the author is no active instance")
    if "create" not in author.capabilities:
        raise Broken("capability", "the author may not create chains")
    if body["registry"] != registry_id:
        raise Broken("registry", "the chain is of another registry")
    if (body["purpose"] == "access") != (body["of"] is not None):
        raise Broken("purpose", "an access chain, and only one, names its record chain")
    check_controllers(body["controllers"], registry)
    check_approvals(block, body["controllers"], 0, registry)
    check_new_devices([], body["controllers"], block, registry)
    return after_genesis(body)


def judge_control(block: Block, parent: Block, state: State, registry: RegistryState) -> State:
    body, controllers = block.body, state["controllers"]
    rotates = body["act"] == "rotate"
    speaks = controller_of if rotates else author_of
    if speaks(block.kid, controllers, registry) is None:
        raise Broken("author", "the author may not change the chain")
    _check_first(block, parent)
    if rotates:
        _check_rotation(block, state, registry)
    else:
        check_approvals(block, controllers, state["seq"], registry)
    _check_grants(block, state, registry)
    check_epoch(body, state)
    if body["controllers"] is not None:
        check_controllers(body["controllers"], registry)
        check_new_devices([controllers], body["controllers"], block, registry)
    if body.get("recovery") is not None:
        check_controllers(body["recovery"], registry)
        listed = [controllers, state["recovery"], body["controllers"]]
        check_new_devices(listed, body["recovery"], block, registry)
    if body["access"] is not None and (state["purpose"] != "record" or state["access"] is not None):
        raise Broken("access", "an access chain, or one that is named already")
    after = after_control(state, block)
    if len(after["grants"]) > 256:
        raise Broken("grants", "more than 256 grants")
    check_same_devices(after)
    check_readers(body, state, after)
    return after


def _check_first(block: Block, parent: Block) -> None:
    if parent.type != "genesis":
        return
    if block.kid != parent.kid or not block.body["grants"]["put"] or block.body["packages"] is None:
        raise Broken("first-control", "not the genesis author's first grants and packages")


def _check_rotation(block: Block, state: State, registry: RegistryState) -> None:
    body = block.body
    others = (body["controllers"], body["hold"], body["access"])
    changes = body["grants"]["put"] or body["approvals"] or "recovery" in body
    if changes or any(other is not None for other in others):
        raise Broken("rotate", "a rotation changes keys and ended grants only")
    if body["epoch"] is None:
        raise Broken("rotate", "a rotation brings an epoch")
    for institution in body["grants"]["remove"]:
        grant = grant_of(state, institution)
        if grant is None or (registry.active_institution(institution)
                             and is_in_force(grant, block.payload["time"])):
            raise Broken("rotate", "a rotation drops a grant that is in force")


def is_in_force(grant: dict, time: str) -> bool:
    return grant["until"] is None or time_ms(time) < time_ms(grant["until"])


def _check_grants(block: Block, state: State, registry: RegistryState) -> None:
    put, remove = block.body["grants"]["put"], block.body["grants"]["remove"]
    known = {compartment["id"] for compartment in state["compartments"]}
    for grant in put:
        if not registry.active_institution(grant["institution"]):
            raise Broken("grantee", "a grant is for no active institution")
        if not set(grant["compartments"]) <= known:
            raise Broken("compartment", "a grant is for a compartment that the chain does not have")
        if not is_in_force(grant, block.payload["time"]):
            raise Broken("grant-until", "a grant ends before it begins")
    names = {grant["institution"] for grant in put}
    if any(grant_of(state, institution) is None or institution in names for institution in remove):
        raise Broken("grant-remove", "a grant is removed that is not there, or is also put")


def check_epoch(body: dict, state: State) -> None:
    epoch = body["epoch"]
    if epoch is None:
        return
    if body["packages"] is None:
        raise Broken("packages", "an epoch without packages")
    new, old = key_digests(epoch["compartments"]), state["compartments"]
    if [key["id"] for key in new] != [key["id"] for key in old]:
        raise Broken("epoch-compartments", "an epoch covers exactly the compartments of the chain")
    if {key["key"] for key in new} & {key["key"] for key in old}:
        raise Broken("epoch-key", "a key is used again")
    if epoch["labelKeyHash"] == state["labelKeyHash"]:
        raise Broken("label-key", "the label key is used again")


def check_readers(body: dict, before: State, after: State) -> None:
    then, now = readable(before), readable(after)
    if body["epoch"] is None and any(topics - now.get(reader, set()) for reader, topics in then.items()):
        raise Broken("epoch-missing", "a reader loses something without a new epoch")
    if body["packages"] is None and any(topics - then.get(reader, set()) for reader, topics in now.items()):
        raise Broken("packages", "a reader gains something without a package")
