# SPDX-License-Identifier: Apache-2.0
"""The command line: exit 0 the file convinces, 3 it does not, 2 usage."""

from __future__ import annotations

import argparse
import json
import sys

from ..cli import FAILED, OK, USAGE, argument_of, with_values_joined
from ..forms.shapes import digest_text
from ..log.keys import parse_verifier_key
from .form import MAX_FILE_BYTES
from .judge import report


def _log_key(text: str) -> str:
    parse_verifier_key(text.encode("utf-8", "surrogateescape"))
    return text


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_evidence.py", description="Verify an Ampere evidence file.")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--registry", metavar="ID", type=argument_of(digest_text), help="the pinned registry id")
    parser.add_argument("--log", metavar="VKEY", type=argument_of(_log_key), nargs="+", action="extend", default=[],
                        help="the pinned verifier keys of the log (c2sp.org/signed-note)")
    options = parser.parse_args(with_values_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        with open(options.file, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        print(f"{parser.prog}: {options.file}: {error.strerror}", file=sys.stderr)
        return USAGE
    said = report(data, options.registry, options.log)
    print(json.dumps(said))
    return OK if said["convinces"] else FAILED
