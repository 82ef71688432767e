"""What makes sealed texts findable: marks of words, which say nothing of the words. Kept by `storage/indexing.py`.

On SQLite each of these tables has an index of its own kind beside it (`…_index`, FTS5), on PostgreSQL a GIN index.
"""

from sqlmodel import Field, SQLModel

from storage.marks import Marks


class QuestionMarks(SQLModel, table=True):
    """By which marks a question is found. `made`: by which recipe and key; empty: to be made anew."""

    __tablename__ = "question_marks"

    question_id: int = Field(primary_key=True, foreign_key="question.id")
    made: str = Field(default="", index=True, max_length=20)
    marks: list[int] = Field(default_factory=list, sa_type=Marks, nullable=False)


class UpdateMarks(SQLModel, table=True):
    """By which marks an update is found."""

    __tablename__ = "update_marks"

    update_id: int = Field(primary_key=True, foreign_key="update.id")
    made: str = Field(default="", index=True, max_length=20)
    marks: list[int] = Field(default_factory=list, sa_type=Marks, nullable=False)


class QuestionTouched(SQLModel, table=True):
    """Something in this question has been written since its marks were made: one row for each transaction that did.

    Only added and taken away, and bound to nothing: whoever writes waits for nobody.
    """

    __tablename__ = "question_touched"

    id: int = Field(default=None, primary_key=True)
    question_id: int


class UpdateTouched(SQLModel, table=True):
    """The same of an update."""

    __tablename__ = "update_touched"

    id: int = Field(default=None, primary_key=True)
    update_id: int
