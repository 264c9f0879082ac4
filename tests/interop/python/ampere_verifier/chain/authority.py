# SPDX-License-Identifier: Apache-2.0
"""Section 5: who is who, and the rows of controllers, approvals and new devices."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Broken
from ..forms.encoding import time_ms
from ..forms.jws import thumbprint
from ..registry.fold import action_of
from ..registry.records import RegistryState
from .blocks import Block
from .state import State, devices_of, member_name


@dataclass(frozen=True)
class Author:
    """A listed device, or an active instance of an institution."""

    kid: str
    institution: str | None
    capabilities: tuple[str, ...] = ()


def device_kids(controllers: dict | None) -> set[str]:
    return {member["kid"] for member in devices_of(controllers)}


def author_of(kid: str, controllers: dict | None, registry: RegistryState) -> Author | None:
    if kid in device_kids(controllers):
        return Author(kid, None)
    instance = registry.active_instance(kid)
    return Author(kid, instance["institution"], tuple(instance["capabilities"])) if instance else None


def controller_of(kid: str, controllers: dict, registry: RegistryState) -> dict | None:
    """The controller that a key speaks for."""
    author = author_of(kid, controllers, registry)
    if author is None:
        return None
    if author.institution is not None and "control" not in author.capabilities:
        return None
    kind, wanted = ("device", kid) if author.institution is None else ("institution", author.institution)
    return next((member for member in controllers["members"]
                 if member["kind"] == kind and member_name(member) == wanted), None)


def check_controllers(controllers: dict, registry: RegistryState) -> None:
    members = controllers["members"]
    for member in members:
        if member["kind"] == "device" and thumbprint(member["jwk"]) != member["kid"]:
            raise Broken("device-key", "a device is named by another key than its own")
        if member["kind"] == "institution" and not registry.active_institution(member["institution"]):
            raise Broken("controller", "a controller is no active institution")
    if len({member_name(member) for member in members}) != len(members):
        raise Broken("controller", "a controller occurs twice")
    if controllers["threshold"] > len(members):
        raise Broken("threshold", "the threshold cannot be reached")


def check_approvals(block: Block, controllers: dict, seq: int, registry: RegistryState,
                    per_institution: int = 1) -> None:
    """Each approval in order, then whether enough controllers are spoken for."""
    action, seen = action_of(block.payload), set()
    speaking: dict[str, int] = {}
    for approval in block.approvals:
        claim = approval.payload
        if claim.get("chain") != block.payload.get("chain"):
            raise Broken("approval-chain", "an approval for another chain")
        if claim["seq"] != seq:
            raise Broken("approval-seq", "an approval for another state")
        if claim["action"] != action:
            raise Broken("approval-action", "an approval for another action")
        if time_ms(claim["expires"]) < time_ms(block.payload["time"]):
            raise Broken("approval-expired", "an approval that has expired")
        if approval.kid in seen:
            raise Broken("approval-twice", "one key approves twice")
        seen.add(approval.kid)
        controller = controller_of(approval.kid, controllers, registry)
        if controller is not None:
            name = member_name(controller)
            speaking[name] = speaking.get(name, 0) + 1
    reached = [member for member in controllers["members"]
               if speaking.get(member_name(member), 0)
               >= (per_institution if member["kind"] == "institution" else 1)]
    if len(reached) < controllers["threshold"]:
        raise Broken("threshold", "too few controllers approve")


def is_identified(block: Block, registry: RegistryState) -> bool:
    """Somebody who may identify people approves."""
    instances = [registry.active_instance(approval.kid) for approval in block.approvals]
    return any("identify" in instance["capabilities"] for instance in instances if instance)


def check_new_devices(before: list[dict | None], listed: dict, block: Block, registry: RegistryState,
                      vouched: bool = True) -> None:
    """Those of `listed` that none of `before` lists; with `vouched` somebody must vouch for them."""
    kids = {approval.kid for approval in block.approvals}
    known = set().union(*(device_kids(controllers) for controllers in before))
    for device in devices_of(listed):
        if device["kid"] in known:
            continue
        if device["kid"] not in kids:
            raise Broken("device-possession", "a new device did not approve")
        if vouched and not is_identified(block, registry):
            raise Broken("device-identify", "nobody who may identify vouches for a new device")


def check_same_devices(after: State) -> None:
    sealing = {device["kid"]: device["sealing"] for device in devices_of(after["controllers"])}
    if any(sealing.get(device["kid"], device["sealing"]) != device["sealing"]
           for device in devices_of(after["recovery"])):
        raise Broken("device-key", "a device is listed with two sealing keys")


def is_devices_own(block: Block, state: State) -> bool:
    """Devices alone reach the threshold."""
    approving = {approval.kid for approval in block.approvals} & device_kids(state["controllers"])
    return len(approving) >= state["controllers"]["threshold"]
