"""The sentences by which it is told why somebody was reminded or not, and what became of the message. Pure: no data.

A test holds that no word of ours is without one.
"""

from collections.abc import Mapping

from facts.languages import N_, Speaker
from storage.tables import Again, Channel, OutboxState, Reason, Unit, Whom
from storage.words import ReceiptKind

WRITTEN: Mapping[Reason, str] = {
    Reason.DUE: N_("a reminder was written, because the update was missing."),
    Reason.GATHERED: N_("a reminder was written, in one message with other updates that were missing."),
    Reason.SUBSTITUTE: N_("no channel reaches them, so the reminder was written to their substitute."),
}
PLANNED: Mapping[Reason, str] = {  # for the command line, which speaks English
    Reason.DUE: "a reminder leaves, because the update is missing.",
    Reason.GATHERED: "a reminder leaves, in one message with other updates that are missing.",
    Reason.SUBSTITUTE: "no channel reaches them, so a reminder leaves to their substitute.",
}
WITHHELD: Mapping[Reason, str] = {
    Reason.DUE: N_("no reminder."),
    Reason.GATHERED: N_("no reminder."),
    Reason.SUBSTITUTE: N_("no reminder: their substitute was told."),
    Reason.AWAY: N_("no reminder: they are away, and their substitute answers for it."),
    Reason.DONE: N_("no reminder: the update had already come in."),
    Reason.WAIVED: N_("no reminder: the office had said that the update is not needed."),
    Reason.OVERTAKEN: N_("no reminder for this step: a later step of the same deadline took its place."),
    Reason.UNREACHABLE: N_("no reminder: no channel reaches them. Somebody should call them."),
    Reason.NOBODY: N_("no reminder: nobody follows it."),
    Reason.JOINED_LATER: N_("no reminder: they began to follow it only later."),
    Reason.NO_LONGER_THEIRS: N_("no reminder: they no longer follow it."),
    Reason.STOPPED: N_("no reminder: the deadline had been stopped."),
    Reason.RECEIVED: N_("no reminder: the update is in, and the office has yet to accept it."),
    Reason.HALTED: N_("no reminder: the office had suspended reminders."),
    Reason.NO_ADDRESS: N_("no reminder: the organisation has no address of that kind."),
    Reason.DIGEST: N_("no message of its own: it is in the office's weekly picture."),
}
AGAIN: Mapping[Again, str] = {
    Again.ASKED: N_("asked to be reminded again on {moment}."),
    Again.MISSED: N_("a channel reaches them again: what they missed is told on {moment}."),
    Again.RESUMED: N_("reminders go on again: what was held back is told on {moment}."),
}
WAITS: Mapping[OutboxState, str] = {
    OutboxState.QUEUED: N_("message {number} waits to leave, {by}: from {moment}."),
    OutboxState.SENDING: N_("message {number} is leaving now, {by}."),
    OutboxState.RETRY: N_("message {number} could not leave yet, {by}; it is tried again on {moment}."),
    OutboxState.DEAD: N_("message {number}, {by}, was not delivered."),
    OutboxState.UNCERTAIN: N_("it is not known whether message {number}, {by}, arrived."),
    OutboxState.WITHHELD: N_("message {number} did not leave: when its turn came there was nothing left to say."),
    OutboxState.MOVED: N_("message {number} did not leave {by}, whose way was closed: an e-mail went instead."),
    OutboxState.DROPPED: N_("message {number}, {by}, was put aside by the office."),
    OutboxState.SENT: N_("message {number} left, {by}."),
}
RECEIVED: Mapping[ReceiptKind, str] = {
    ReceiptKind.ACCEPTED: N_("message {number}: our provider took it in charge."),
    ReceiptKind.NOT_ACCEPTED: N_("message {number}: our provider did not accept it."),
    ReceiptKind.DELIVERED: N_("message {number}: delivered, says the reader's provider."),
    ReceiptKind.NOT_DELIVERED: N_("message {number}: not delivered, says the reader's provider."),
    ReceiptKind.LATE: N_("message {number}: not delivered yet, says the provider."),
    ReceiptKind.BOUNCED: N_("message {number}: {why}."),
    ReceiptKind.DELAYED: N_("message {number}: the reader's server has not taken it yet, and ours still tries."),
}
FAILED = frozenset({ReceiptKind.NOT_ACCEPTED, ReceiptKind.NOT_DELIVERED, ReceiptKind.BOUNCED})
TOMORROW = N_("It waits until tomorrow: nobody is reminded twice on one day of what is not due yet.")
DOUBTFUL = N_("message {number}: a receipt came that nobody vouches for. It is not believed.")
FETCHED = N_("the link in message {number} was opened, perhaps only by a program that checks mail for its reader.")
OPENED = N_("somebody opened the page from the link in message {number}.")
WHOM: Mapping[Whom, str] = {
    Whom.REFERENT: N_("to the first contact of the project"),
    Whom.REFERENTS: N_("to everybody who follows it"),
    Whom.SUBSTITUTE: N_("to the substitute"),
    Whom.OFFICE: N_("to the organisation's own address"),
    Whom.PEC: N_("to the organisation's certified address (PEC)"),
    Whom.OFFICER: N_("to the colleague who follows the deadline"),
    Whom.DIGEST: N_("in the office's weekly picture"),
}
BY: Mapping[Channel, str] = {
    Channel.TELEGRAM: N_("by Telegram"),
    Channel.EMAIL: N_("by e-mail"),
    Channel.PEC: N_("by certified e-mail (PEC)"),
    Channel.WEB: N_("from the personal page"),
    Channel.PHONE: N_("by phone"),
}


def step_words(_: Speaker, offset: int, unit: Unit) -> str:
    """ "7 days before the due day": which step of the ladder it is."""
    n = abs(offset)
    if offset == 0:
        return _("On the due day")
    if unit is Unit.WORKING_DAYS and offset < 0:
        return _.ngettext("One working day before the due day", "{n} working days before the due day", n)
    if unit is Unit.WORKING_DAYS:
        return _.ngettext("One working day after the due day", "{n} working days after the due day", n)
    if offset < 0:
        return _.ngettext("One day before the due day", "{n} days before the due day", n)
    return _.ngettext("One day after the due day", "{n} days after the due day", n)
