# SPDX-License-Identifier: Apache-2.0
"""Section 4: folding the blocks of a registry."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import BadSignature, Broken, Malformed, Refused, code_of
from ..forms.encoding import canonical, digest, time_ms
from ..forms.jws import Statement, parse_statement, thumbprint
from ..forms.shapes import (arr, bytes_of, count, digest_text, id16, jws_text, obj, one_of, tagged,
                            timestamp)
from .changes import CHANGE, MEMBERSHIP_ACTS, ChangeContext, apply_change
from .genesis import check_genesis_records
from .records import FOUNDING, RegistryState
from .renew import renewed

_COMMON = {"v": one_of(1), "height": count, "time": timestamp, "state": digest_text, "op": id16}
_APPROVALS = arr(jws_text, 256)
_BLOCK = tagged("type", {
    "genesis": obj({**_COMMON, "type": one_of("genesis"), "body": obj({
        "nonce": bytes_of(32), "records": arr(FOUNDING, 256, least=1), "approvals": _APPROVALS})}),
    "change": obj({**_COMMON, "type": one_of("change"), "registry": digest_text, "prev": digest_text,
                   "body": obj({"changes": arr(CHANGE, 64, least=1), "approvals": _APPROVALS})}),
})
_APPROVAL = obj({"registry": digest_text, "after": count, "action": digest_text, "expires": timestamp},
                optional=("registry",))


MAX_APPROVAL_MS = 30 * 86_400_000


def action_of(payload: dict) -> str:
    """The digest of canonical `{type, body without approvals}`, of registry blocks and of blocks."""
    body = {key: value for key, value in payload["body"].items() if key != "approvals"}
    return digest(canonical({"type": payload["type"], "body": body}))


@dataclass
class Registry:
    """A registry as far as it was folded: ids, times and states by height, and every key it ever had."""

    pinned: str
    ids: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    states: list[RegistryState] = field(default_factory=list)
    keys: dict[str, dict] = field(default_factory=dict)

    @property
    def newest(self) -> RegistryState:
        return self.states[-1]

    def at(self, head: dict) -> RegistryState | None:
        height = head["height"]
        known = height < len(self.ids) and self.ids[height] == head["id"]
        return self.states[height] if known else None

    def copy(self) -> "Registry":
        return Registry(self.pinned, [*self.ids], [*self.times], [*self.states], {**self.keys})

    def add(self, jws: str) -> None:
        """Judges the next block and takes it; refuses it with its code."""
        height = len(self.ids)
        try:
            statement, approvals = _open(jws, self.keys)
            if height == 0 and statement.id != self.pinned:
                raise Broken("registry", "another registry than the pinned one")
            state = self._judge(statement, approvals)
        except Broken as error:
            message = f"the registry at height {height}: {error}"
            raise Refused("VERIFICATION_FAILED", message, error.rule, height) from None
        except (Malformed, BadSignature) as error:
            message = f"the registry at height {height}: {error}"
            raise Refused(code_of(error, "BLOCK_MALFORMED"), message, None, height) from None
        self.ids.append(statement.id)
        self.times.append(time_ms(statement.payload["time"]))
        self.states.append(state)
        self.keys.update({record["kid"]: record["jwk"] for record in state.of_kind("key")})

    def _judge(self, statement: Statement, approvals: list[Statement]) -> RegistryState:
        payload = statement.payload
        self._check_place(payload)
        if payload["type"] == "genesis":
            state = check_genesis_records(payload["body"]["records"], payload["time"])
            author = state.root_owner(statement.kid, time_ms(payload["time"]))
            if author is None or author[1] != "root":
                raise Broken("author", "not signed by a founder's root key")
            approving = _approving(payload, approvals, state, None)
            if any(record["id"] not in approving for record in state.of_kind("institution")):
                raise Broken("founders", "an institution did not approve")
        else:
            state = self._changed(statement, approvals)
        if state.root() != payload["state"]:
            raise Broken("state-root", "another root than that of the records")
        return state

    def _check_place(self, payload: dict) -> None:
        if payload["type"] == "genesis":
            if self.ids or payload["height"] != 0:
                raise Broken("height", "a genesis is the first block")
            return
        if not self.ids:
            raise Broken("first-block", "a registry begins with a genesis")
        if payload["registry"] != self.pinned:
            raise Broken("registry", "the block is of another registry")
        if payload["height"] != len(self.ids):
            raise Broken("height", "the height does not follow")
        if payload["prev"] != self.ids[-1]:
            raise Broken("prev", "prev is not the block before")
        if time_ms(payload["time"]) < self.times[-1]:
            raise Broken("time", "before the block before")

    def _changed(self, statement: Statement, approvals: list[Statement]) -> RegistryState:
        payload, parent = statement.payload, self.newest
        time = time_ms(payload["time"])
        author = parent.root_owner(statement.kid, time)
        if author is None:
            return renewed(parent, statement.kid, payload)
        approving = _approving(payload, approvals, parent, self.pinned)
        context = ChangeContext(*author, payload["height"], payload["time"], approving, parent.members_at(time))
        state = parent
        for change in payload["body"]["changes"]:
            state = apply_change(state, change, context)
        if any(change["act"] in MEMBERSHIP_ACTS for change in payload["body"]["changes"]):
            return state.with_records([{"v": 1, "kind": "membership", "height": payload["height"]}])
        return state


def _open(jws: str, known: dict[str, dict]) -> tuple[Statement, list[Statement]]:
    """Form first, then signatures, with the keys of the genesis itself or of the blocks before."""
    statement = parse_statement(jws, "ampere-registry+jws")
    payload = _BLOCK(statement.payload)
    approvals = [parse_statement(text, "ampere-registry-approval+jws")
                 for text in payload["body"]["approvals"]]
    for approval in approvals:
        _APPROVAL(approval.payload)
    keys = known
    if payload["type"] == "genesis":
        own = {thumbprint(record["jwk"]): record["jwk"]
               for record in payload["body"]["records"] if record["kind"] == "key"}
        keys = {**known, **own}
    for signed in (statement, *approvals):
        signed.verify(keys.get(signed.kid))
    return statement, approvals


def _approving(payload: dict, approvals: list[Statement], state: RegistryState,
               registry: str | None) -> set[str]:
    """The institutions that approve; each approval by the rows from `approval-registry` on."""
    action, approving = action_of(payload), set()
    for approval in approvals:
        claim = approval.payload
        if claim.get("registry") != registry:
            raise Broken("approval-registry", "an approval for another registry")
        if claim["after"] != state.membership_height():
            raise Broken("approval-after", "members or rules changed since an approval was given")
        if claim["action"] != action:
            raise Broken("approval-action", "an approval for another action")
        left = time_ms(claim["expires"]) - time_ms(payload["time"])
        if left < 0:
            raise Broken("approval-expired", "an approval that has expired")
        if left > MAX_APPROVAL_MS:
            raise Broken("approval-term", "an approval for more than 30 days")
        owner = state.root_owner(approval.kid, time_ms(payload["time"]))
        if owner is None or owner[1] != "root":
            raise Broken("approval-key", "an approval not by a member's root key")
        if owner[0] in approving:
            raise Broken("approval-twice", "a member approves twice")
        approving.add(owner[0])
    return approving
