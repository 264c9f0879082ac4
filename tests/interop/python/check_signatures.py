#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says which signatures are valid (docs/PROTOCOL.md, section 3): reads a JSON array of `{"jwk", "tests": [{"msg", "sig"}]}`
with hexadecimal messages and signatures, and prints a JSON array of booleans, in order."""

import json
import sys

from ampere_verifier.errors import BadSignature, Malformed
from ampere_verifier.forms.jws import check_signature
from ampere_verifier.forms.shapes import JWK


def is_valid(jwk: dict, msg: str, sig: str) -> bool:
    try:
        check_signature(JWK(jwk), bytes.fromhex(sig), bytes.fromhex(msg))
        return True
    except (BadSignature, Malformed):
        return False


print(json.dumps([is_valid(group["jwk"], test["msg"], test["sig"])
                  for group in json.load(sys.stdin) for test in group["tests"]]))
