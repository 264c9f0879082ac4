# SPDX-License-Identifier: Apache-2.0
"""The command line: exit 0 verified, 3 verification failed, 2 usage."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone
from typing import Callable, TypeVar

from .errors import Malformed, Refused
from .export import verify
from .forms.shapes import digest_text, timestamp
from .log.lookup import Monitors, parse_monitors
from .log.policy import Policy, parse_policy
from .shown import Shown

OK, USAGE, FAILED = 0, 2, 3
Pins = TypeVar("Pins", Policy, Monitors)


def argument_of(shape):
    """What argparse reads as a value of a shape."""

    def parse(value: str) -> str:
        try:
            return shape(value)
        except Malformed as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_export.py", description="Verify Ampere export files.")
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--registry", metavar="ID", type=argument_of(digest_text),
                        help="the pinned registry id; without it each file's own is taken on trust")
    parser.add_argument("--now", metavar="TIME", type=argument_of(timestamp),
                        help="when backups must have expired (2026-11-23T14:05:00.000Z); "
                             "without it the time of the head statement")
    parser.add_argument("--policy", metavar="FILE",
                        help="the policy by which receipts are judged (c2sp.org/tlog-policy); without it nobody judges them")
    parser.add_argument("--monitors", metavar="FILE",
                        help="the monitors to believe, as {origins, need}; without it only the home says where the record ends")
    parser.add_argument("--together", action="store_true",
                        help="compare each file with those before it: trees of one size, blocks at one height")
    parser.add_argument("--json", action="store_true", help="one JSON object per file, each on its line")
    options = parser.parse_args(with_values_joined(sys.argv[1:] if arguments is None else arguments))
    if options.registry is None:
        print("warning: no --registry, the file's own registry id is taken on trust", file=sys.stderr)
    try:
        policy = _read(options.policy, parse_policy)
        monitors = _read(options.monitors, parse_monitors)
    except _BadFile as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return USAGE
    is_good, shown = True, Shown() if options.together else None
    for name in options.files:
        try:
            with open(name, "rb") as file:
                data = file.read()
        except OSError as error:
            print(f"{parser.prog}: {name}: {error.strerror}", file=sys.stderr)
            return USAGE
        try:
            report = verify(data, options.registry, options.now, policy, monitors, shown)
            is_good = is_good and not report["problems"]
        except Refused as error:
            report, is_good = error.report(), False
        print(json.dumps(report) if options.json else _words(name, report))
    return OK if is_good else FAILED


def with_values_joined(arguments: list[str]) -> list[str]:
    """`--registry=ID` for `--registry ID`: an id may begin with a hyphen, and argparse takes that for an option."""
    joined: list[str] = []
    for text in arguments:
        if joined and joined[-1] == "--registry":
            joined[-1] += f"={text}"
        else:
            joined.append(text)
    return joined


class _BadFile(Exception):
    """A file of pins that cannot be read."""


def _read(name: str | None, parse: Callable[[bytes], Pins]) -> Pins | None:
    if name is None:
        return None
    try:
        with open(name, "rb") as file:
            return parse(file.read())
    except (OSError, Malformed) as error:
        raise _BadFile(f"{name}: {getattr(error, 'strerror', None) or error}") from None


def _words(name: str, report: dict) -> str:
    if "code" in report:
        rule = f", rule {report['rule']}" if report["rule"] else ""
        return f"{name}: NOT VERIFIED ({report['code']}{rule}): {report['message']}"
    lines = [
        f"{name}: {'NOT VERIFIED' if report['problems'] else 'verified'}",
        f"chain {report['chain']} of {report['origin']}, as of {report['asOf']}",
        f"{report['blocks']} blocks, {report['entries']} entries, {report['erased']} erased",
    ]
    lines += [f"block {height}: {status}" for height, status in enumerate(report["statuses"])]
    for erasure in report["erasures"]:
        owing = ", ".join(erasure["owing"]) or "nobody"
        lines.append(f"erasure at {erasure['height']}: {erasure['status']}, owing: {owing}")
    lines += [f"problem at {problem['height']}: {problem['status']} ({problem['rule']})"
              for problem in report["problems"]]
    return "\n".join(lines + [_complete_words(report["complete"])])


def _complete_words(complete: dict) -> str:
    if complete["why"] is not None:
        return f"complete: not shown ({complete['why']})"
    by = ", ".join(word["origin"] for word in complete["words"] if word["says"] == "absent")
    as_of = datetime.fromtimestamp(complete["asOfMs"] / 1000, timezone.utc)
    return f"complete as of {as_of:%Y-%m-%d %H:%M:%S} UTC, by {by}"
