#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folds registries and chains that are not in a file.

Reads one JSON object per line and answers each with one: ids and states by height, or the code, the rule and the
height of the first block that is refused.

    {"registry": [JWS], "chain": ID, "parent": {"block": JWS, "state": STATE} | null, "blocks": [JWS]}

The registry's first block is taken as the pinned one. With a parent the chain begins after it, and parent and state
are believed.
"""

from __future__ import annotations

import json
import sys

from ampere_verifier.chain.blocks import parse_block
from ampere_verifier.chain.fold import Chain
from ampere_verifier.errors import Malformed, Refused
from ampere_verifier.forms.encoding import canonical
from ampere_verifier.forms.jws import parse_statement
from ampere_verifier.registry.fold import Registry

_folded: dict[tuple[str, ...], Registry] = {}


def fold(case: dict) -> dict:
    try:
        registry = _fold_registry(tuple(case["registry"]))
        chain = Chain(case["chain"], registry)
        if case["parent"] is not None:
            chain.blocks.append(parse_block(case["parent"]["block"]))
            chain.states.append(case["parent"]["state"])
        for jws in case["blocks"]:
            chain.add(jws)
    except Refused as error:
        return error.report()
    return {
        "registry": [{"id": id_, "state": state.root()} for id_, state in zip(registry.ids, registry.states)],
        "blocks": [{"id": block.id, "state": canonical(state).decode("utf-8")}
                   for block, state in zip(chain.blocks, chain.states)],
    }


def _fold_registry(blocks: tuple[str, ...]) -> Registry:
    """Folds a registry whose beginning is mostly known from the case before."""
    known = _folded.get(blocks)
    if known is not None:
        return known
    registry = _fold_registry(blocks[:-1]).copy() if len(blocks) > 1 else Registry(_id_of(blocks[0]))
    registry.add(blocks[-1])
    _folded[blocks] = registry
    return registry


def _id_of(jws: str) -> str:
    try:
        return parse_statement(jws, "ampere-registry+jws").id
    except Malformed:
        return ""


for line in sys.stdin:
    print(json.dumps(fold(json.loads(line))))
