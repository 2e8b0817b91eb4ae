"""What operators ask of a running node about its configuration; the control API hands it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from actors.control.desk import ControlError
from actors.deployment.applying import Applier, NotApplied, Wish
from actors.deployment.approvals import Approval
from actors.deployment.canary.keeper import CanaryKeeper
from actors.deployment.generations import Generation, Generations
from actors.deployment.masking import masked_generation

__all__ = ["ConfigurationDesk", "generation_row"]

PROVE_S_MAX = 600.0
CANARY_S_MIN, CANARY_S_MAX = 1.0, 7 * 86_400.0
FROM_OUTSIDE = ("base", "actor", "reason", "approver", "prove_s", "of", "user_id")  # of a wish


class ConfigurationDesk:
    """See control.server.ConfigurationDesk. Changes wait and watch: never on the control thread."""

    def __init__(self, applier: Applier, canaries: CanaryKeeper) -> None:
        self._applier = applier
        self._canaries = canaries

    @property
    def content_hash(self) -> str:
        """What tells the configuration that runs from any other."""
        return self._applier.topology.content_hash

    def generation(self) -> int:
        """Return the number of the newest one; 0 before the first."""
        return max(self._applier.generations.numbers(), default=0)

    def generations(self) -> dict[str, Any]:
        """Return all generations, without what is in them."""
        return rows_of(self._applier.generations)

    def whole_generation(self, number: int) -> dict[str, Any]:
        """Return one with what is in it but secrets; 0 for the newest. Errors: ControlError 404."""
        kept = self._applier.generations
        try:
            found = kept.read(number) if number else kept.current()
        except (KeyError, ValueError):
            found = None
        if found is None:
            raise ControlError(404, f"there is no generation {number}", "`polytrade generations` lists them")
        shown: dict[str, Any] = msgspec.to_builtins(masked_generation(found))
        return shown

    def approve(self, body: dict[str, Any]) -> dict[str, Any]:
        """Keep somebody's word for a plan. Errors: ControlError 409 when another generation runs by now."""
        applier = self._applier
        try:
            approval = Approval(
                digest=str(body["digest"]),
                by=str(body["actor"]),
                user_id=int(body["user_id"]),
                reason=str(body.get("reason", "")),
                at_ns=applier.now_ns,
            )
            applier.approve(approval, int(body["base"]))
        except (KeyError, TypeError, ValueError):
            raise ControlError(400, "no plan was named", "use `polytrade approve PLAN`") from None
        except NotApplied as refused:
            raise ControlError(409, str(refused), refused.help) from None
        shown: list[Any] = msgspec.to_builtins(applier.approvals.of(approval.digest))
        until_ns = approval.at_ns + applier.topology.apply.expires
        return {"approvals": shown, "wanted": applier.topology.apply.approvals, "until_ns": until_ns}

    def apply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Bring in what was staged, or its `canary` first. Errors: ControlError, 409 when it cannot be."""
        target, for_s = body.get("canary", ""), body.get("canary_s", 0)
        if not isinstance(target, str) or not isinstance(for_s, int | float) or isinstance(for_s, bool):
            raise ControlError(
                400, "canary must be text, canary_s a number", "use `polytrade apply --canary`"
            )
        if target and not CANARY_S_MIN <= for_s <= CANARY_S_MAX:
            text = f"a canary lasts {CANARY_S_MIN:g} s to {CANARY_S_MAX / 3600:g} h"
            raise ControlError(400, text, "write --for 30m")
        try:
            document = self._applier.generations.take_staged(str(body.get("staged", "")))
            wish = msgspec.convert(
                {**{name: body[name] for name in FROM_OUTSIDE if name in body}, "document": document}, Wish
            )
        except KeyError:
            raise ControlError(400, "nothing is staged under this name", "use `polytrade apply`") from None
        except msgspec.ValidationError as error:
            raise ControlError(400, str(error), "use `polytrade apply`") from None
        wish = msgspec.structs.replace(wish, prove_s=min(max(wish.prove_s, 0.0), PROVE_S_MAX))
        if target:
            return _answer(lambda: self._canaries.begin(wish, target, int(for_s * 1e9)))
        return _answer(lambda: self._applier.apply(wish))

    def canary(self) -> dict[str, Any]:
        """Return how a canary stands."""
        return self._canaries.status()

    def canary_left_s(self) -> float:
        """Return the seconds for which a canary has still to do well; 0 without one."""
        return self._canaries.left_s()

    def end_canary(self, body: dict[str, Any]) -> dict[str, Any]:
        """Promote or abort it now. Errors: ControlError 409 when that is not possible."""
        action, actor, reason = (str(body.get(name, "")) for name in ("action", "actor", "reason"))
        if action == "promote":
            return _answer(lambda: self._canaries.promote(actor, reason))
        if action == "abort":
            return _answer(lambda: {"generation": self._canaries.abort(actor, reason)})
        raise ControlError(400, f"{action!r} is no action", "promote or abort")


def _answer(action: Callable[[], Any]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.to_builtins(action())
    except NotApplied as refused:
        raise ControlError(409, str(refused), refused.help) from None
    return found


def rows_of(generations: Generations) -> dict[str, Any]:
    """Return one row for each generation, newest last."""
    return {"generations": [generation_row(generations.read(number)) for number in generations.numbers()]}


def generation_row(one: Generation) -> dict[str, Any]:
    """Return a generation without what is in it."""
    return {
        "generation": one.number,
        "at_ns": one.at_ns,
        "actor": one.actor,
        "approver": one.approver,
        "reason": one.reason,
        "of": one.of,
        "content_hash": one.content_hash,
        "files": list(one.files),
        "changes": list(one.changes),
    }
