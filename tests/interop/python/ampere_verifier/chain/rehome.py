# SPDX-License-Identifier: Apache-2.0
"""Section 5, Rules: the rows of rehome blocks."""

from __future__ import annotations

from ..errors import Broken
from ..registry.records import RegistryState
from .authority import author_of, check_approvals
from .blocks import Block
from .entries import check_not_first
from .state import State


def judge_rehome(block: Block, parent: Block, state: State, registry: RegistryState) -> State:
    body = block.body
    check_not_first(parent)
    if author_of(block.kid, state["controllers"], registry) is None:
        raise Broken("author", "neither an active instance nor a device of the chain")
    check_approvals(block, state["controllers"], state["seq"], registry)
    if body["from"] != state["home"]:
        raise Broken("from-home", "the chain leaves another home than its own")
    if body["home"]["origin"] == body["from"]["origin"]:
        raise Broken("home", "the chain is at this origin already")
    deployment = registry.get("deployment", body["home"]["deployment"])
    if deployment is None or deployment["origin"] != body["home"]["origin"]:
        raise Broken("home", "the new home is no deployment at that origin")
    if not registry.active_institution(deployment["institution"]):
        raise Broken("home", "the new home's institution is not active")
    return {**state, "seq": state["seq"] + 1, "home": body["home"]}
