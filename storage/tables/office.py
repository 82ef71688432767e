"""The office that runs this desk. One row."""

from sqlmodel import Field, SQLModel


class Office(SQLModel, table=True):
    """Who answers here: shown in the footer, the privacy notice and every mail."""

    id: int = Field(default=1, primary_key=True)
    name: str
    authority: str = ""
    hours: str = ""
    phone: str = ""
    email: str = ""
    controller: str = ""
    dpo_contact: str = ""
    dispatch_stopped: bool = False
