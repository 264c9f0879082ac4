#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folds registries and chains that are not in a file.

Reads one JSON object per line, `{"registry": [JWS], "chain": ID | null, "blocks": [JWS]}`, and answers each with one:
ids and states by height, or the code, the rule and the height of the first block that is refused. The registry's
first block is taken as the pinned one.
"""

from __future__ import annotations

import json
import sys

from ampere_verifier.chain.fold import Chain
from ampere_verifier.errors import Malformed, Refused
from ampere_verifier.forms.encoding import canonical
from ampere_verifier.forms.jws import parse_statement
from ampere_verifier.registry.fold import Registry


def fold(case: dict) -> dict:
    registry = Registry(_id_of(case["registry"][0]))
    try:
        for jws in case["registry"]:
            registry.add(jws)
        chain = Chain(case["chain"] or "", registry)
        for jws in case["blocks"]:
            chain.add(jws)
    except Refused as error:
        return error.report()
    return {
        "registry": [{"id": id_, "state": state.root()} for id_, state in zip(registry.ids, registry.states)],
        "blocks": [{"id": block.id, "state": canonical(state).decode("utf-8")}
                   for block, state in zip(chain.blocks, chain.states)],
    }


def _id_of(jws: str) -> str:
    try:
        return parse_statement(jws, "ampere-registry+jws").id
    except Malformed:
        return ""


for line in sys.stdin:
    print(json.dumps(fold(json.loads(line))))
