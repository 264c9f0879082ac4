#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says what becomes of revocations that are shown (docs/PROTOCOL.md, section 4): reads `{"registry", "records", "statements"}`
and prints an array, in order, of `{"institution", "kid"}`, or of `{"code", "rule"}` for one that is refused."""

import json
import sys

from ampere_verifier.errors import BadSignature, Broken, Malformed, code_of
from ampere_verifier.registry.records import RegistryState
from ampere_verifier.registry.revocation import open_revocation

given = json.load(sys.stdin)
STATE = RegistryState(given["records"])


def judged(statement: str) -> dict:
    try:
        institution, kid = open_revocation(statement, given["registry"], STATE)
        return {"institution": institution, "kid": kid}
    except Broken as error:
        return {"code": "VERIFICATION_FAILED", "rule": error.rule}
    except (Malformed, BadSignature) as error:
        return {"code": code_of(error, "BLOCK_MALFORMED"), "rule": None}


print(json.dumps([judged(statement) for statement in given["statements"]]))
