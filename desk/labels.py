"""The words that people read for the words of our tables. Says nothing by itself."""

from collections.abc import Mapping
from enum import StrEnum

from facts.languages import N_
from intake.forms.nodes import About
from storage.desk_people import Door, Reach
from storage.tables import (
    AccessState,
    Channel,
    InboxState,
    LetterState,
    ObligationState,
    OrganizationKind,
    OutboxKind,
    OutboxState,
    Outcome,
    QuestionState,
    Reason,
    Recurrence,
    Review,
    Role,
    Standing,
    Subject,
    TargetKind,
)

LABELS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    QuestionState: {
        QuestionState.NEW: N_("New"),
        QuestionState.TAKEN: N_("In hand"),
        QuestionState.ANSWERED: N_("Answered"),
        QuestionState.CLOSED: N_("Closed"),
    },
    AccessState: {
        AccessState.ASKING: N_("Being written"),
        AccessState.CONFIRMING: N_("Being confirmed"),
        AccessState.WAITING: N_("To be decided"),
        AccessState.APPROVED: N_("Let in"),
        AccessState.REFUSED: N_("Refused"),
        AccessState.CANCELLED: N_("Withdrawn"),
    },
    Channel: {
        Channel.TELEGRAM: N_("Telegram"),
        Channel.EMAIL: N_("E-mail"),
        Channel.PEC: N_("Certified e-mail (PEC)"),
        Channel.WEB: N_("Personal page"),
        Channel.PHONE: N_("Phone"),
    },
    Door: {
        Door.INVITATION: N_("with an invitation"),
        Door.REQUEST: N_("after a request for access"),
    },
    Reach: {
        Reach.TELEGRAM: N_("Telegram"),
        Reach.EMAIL: N_("E-mail"),
        Reach.PAGE: N_("Only their own page"),
        Reach.NOBODY: N_("Nothing works: phone them"),
    },
    Role: {
        Role.ADMIN: N_("Administrator"),
        Role.OFFICER: N_("Officer"),
        Role.VOLUNTEER: N_("Volunteer"),
        Role.READER: N_("Reader"),
    },
    Review: {
        Review.RECEIVED: N_("To check"),
        Review.ACCEPTED: N_("Accepted"),
        Review.RETURNED: N_("Sent back"),
    },
    OutboxState: {
        OutboxState.QUEUED: N_("Waiting to leave"),
        OutboxState.SENDING: N_("Leaving now"),
        OutboxState.SENT: N_("Sent"),
        OutboxState.RETRY: N_("Will be tried again"),
        OutboxState.DEAD: N_("Not delivered"),
        OutboxState.UNCERTAIN: N_("Perhaps delivered"),
        OutboxState.WITHHELD: N_("No longer needed"),
        OutboxState.MOVED: N_("Sent another way"),
        OutboxState.DROPPED: N_("Put aside"),
    },
    OutboxKind: {
        OutboxKind.DIALOGUE: N_("Chat reply"),
        OutboxKind.ANSWER: N_("Answer"),
        OutboxKind.REMINDER: N_("Reminder"),
        OutboxKind.RECALL: N_("Unfinished draft"),
        OutboxKind.INVITATION: N_("Invitation"),
        OutboxKind.NOTICE: N_("Notice"),
        OutboxKind.CODE: N_("Access code"),
        OutboxKind.AUTO_REPLY: N_("Automatic reply"),
    },
    InboxState: {
        InboxState.UNREAD: N_("Not read yet"),
        InboxState.NEW: N_("Just arrived"),
        InboxState.RETRY: N_("Will be tried again"),
        InboxState.DONE: N_("Done"),
        InboxState.DEAD: N_("Not understood"),
        InboxState.DROPPED: N_("Put aside"),
    },
    LetterState: {
        LetterState.THREADED: N_("In a thread"),
        LetterState.UPDATE: N_("An update"),
        LetterState.HELD: N_("To be sorted"),
        LetterState.ADMITTED: N_("Made a question"),
        LetterState.ANSWERED: N_("Answered"),
        LetterState.DISCARDED: N_("Discarded"),
        LetterState.FILED: N_("Filed"),
    },
    Standing: {
        Standing.REPLY: N_("recognised reply"),
        Standing.CERTIFIED: N_("certified e-mail (PEC)"),
        Standing.DMARC: N_("sender's domain checked"),
        Standing.UNTRUSTED: N_("signature not trusted"),
        Standing.UNVERIFIED: N_("sender not verified"),
    },
    ObligationState: {
        ObligationState.OPEN: N_("Awaited"),
        ObligationState.DONE: N_("Received"),
        ObligationState.WAIVED: N_("Not needed"),
    },
    OrganizationKind: {
        OrganizationKind.MUNICIPALITY: N_("Municipality"),
        OrganizationKind.OTHER: N_("Other actor"),
    },
    Recurrence: {Recurrence.ONCE: N_("Once"), Recurrence.MONTHLY: N_("Every month")},
    About: {About.PROJECT: N_("Each project"), About.ORGANIZATION: N_("Each organisation")},
    Subject: {Subject.PROJECT: N_("Each project"), Subject.ORGANIZATION: N_("Each organisation")},
    TargetKind: {
        TargetKind.PROGRAMME: N_("Programme"),
        TargetKind.ORGANIZATION: N_("Organisation"),
        TargetKind.PROJECT: N_("Project"),
    },
    Outcome: {Outcome.SENT: N_("Reminded"), Outcome.WITHHELD: N_("Not reminded")},
    Reason: {
        Reason.DUE: N_("it was due"),
        Reason.GATHERED: N_("together with others"),
        Reason.SUBSTITUTE: N_("sent to the substitute"),
        Reason.AWAY: N_("away, the substitute answers"),
        Reason.DONE: N_("already received"),
        Reason.WAIVED: N_("not needed"),
        Reason.OVERTAKEN: N_("a later reminder took its place"),
        Reason.UNREACHABLE: N_("no working address"),
        Reason.NOBODY: N_("nobody follows it"),
        Reason.JOINED_LATER: N_("the referent came later"),
        Reason.NO_LONGER_THEIRS: N_("they no longer follow it"),
        Reason.STOPPED: N_("sending is stopped"),
    },
}
