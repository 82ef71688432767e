"""The red switch: stops reminders of everything, one deadline, one organisation or one person, and lets them go on.

What comes due meanwhile is withheld by the sweep, and what was queued before is withheld as it is about to leave
(`wording.py`). Going on sends nothing at once: of what was kept back and is still open, each person is told in one
message, the next working morning. Changes no deadline.
"""

from collections import defaultdict
from datetime import datetime

from sqlmodel import Session

from facts.calendar import next_morning
from facts.languages import N_
from reminders.wanted import DeadlineRefused
from storage import audit, halts
from storage.snoozes import snooze
from storage.tables import Again, HaltKind

LONGEST_REASON = 500


def stop(session: Session, kind: HaltKind, target_id: int, reason: str, *, by: int, now: datetime) -> bool:
    """From this moment nothing leaves. False when it was stopped already. Raises DeadlineRefused without a reason."""
    reason = " ".join(reason.replace("\0", " ").split())
    if not reason:
        raise DeadlineRefused(N_("Say why: whoever sees that reminders are stopped reads the reason."))
    if len(reason) > LONGEST_REASON:
        raise DeadlineRefused(N_("The reason is too long: keep it within {n} characters."), n=LONGEST_REASON)
    if not halts.begin(session, kind, target_id, reason, by, now):
        return False
    audit.record(session, now, ("staff", by), "halt.begin", _about(kind, target_id))
    return True


def resume(session: Session, halt_id: int, *, by: int, now: datetime) -> int | None:
    """How many people are told the next working morning; None when the stop was over already."""
    if not halts.end(session, halt_id, by, now):
        return None
    found = halts.one_stop(session, halt_id)
    assert found is not None, "it has just been ended"
    kind, target_id = found.halt.kind, found.halt.target_id
    told = _tell_again(session, kind, target_id, now)
    audit.record(session, now, ("staff", by), "halt.end", _about(kind, target_id), people=told)
    return told


def _tell_again(session: Session, kind: HaltKind, target_id: int, now: datetime) -> int:
    """Less what another stop still keeps back: that one's end finds it."""
    kept: dict[int, list[int]] = defaultdict(list)
    for referent_id, obligation_id in halts.withheld_by(session, kind, target_id):
        kept[referent_id].append(obligation_id)
    still = halts.halted(session, kept)
    waiting = {referent_id: [one for one in ids if one not in still[referent_id]] for referent_id, ids in kept.items()}
    for referent_id, ids in waiting.items():
        snooze(session, referent_id, ids, Again.RESUMED, next_morning(now), now)
    return sum(1 for ids in waiting.values() if ids)


def _about(kind: HaltKind, target_id: int) -> tuple[str, int | None]:
    return ("office", None) if kind is HaltKind.ALL else (kind.value, target_id)
