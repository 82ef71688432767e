"""How far each folder of a mailbox has been fetched. Knows no mail."""

from datetime import datetime

from sqlmodel import Session

from storage.tables import Mailbox


def fetched_up_to(session: Session, account: str, folder: str, uidvalidity: int) -> int:
    """The highest UID kept; 0 when this folder, or this numbering of it, is not known."""
    row = session.get(Mailbox, (account, folder))
    return row.uid if row is not None and row.uidvalidity == uidvalidity else 0


def note_fetched(session: Session, account: str, folder: str, at: tuple[int, int], now: datetime) -> None:
    """All up to `at` (UIDVALIDITY, UID) are kept, and nothing behind it is known to be."""
    uidvalidity, uid = at
    row = session.get(Mailbox, (account, folder))
    if row is None:
        row = Mailbox(account=account, folder=folder, uidvalidity=uidvalidity)
    row.uidvalidity, row.uid, row.checked_at = uidvalidity, uid, now
    session.add(row)
    session.flush()
