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
