"""The command line `raccordo`. Errors in one line on stderr with exit code 1; bad usage exits 2."""

import os
import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.alone import AlreadyServed
from app.commands import audit, data, keys, operations, people, post, running
from app.commands.house import CommandFailed
from app.keys import KeysMissing

app = typer.Typer(
    name="raccordo",
    help="The liaison desk: project updates, questions and deadlines, on any channel.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
running.register(app)
people.register(app)
data.register(app)
operations.register(app)
keys.register(app)
post.register(app)
audit.register(app)


def main() -> None:
    """Entry point of `.venv/bin/raccordo`."""
    os.umask(0o077)  # what we write is for us alone
    if sys.argv[1:2] == [post.NAME]:
        sys.exit(_or_again())
    _run()


def _or_again() -> int:
    """0, or what has a mail server come again, whatever went wrong."""
    try:
        _run()
    except SystemExit as end:
        if not end.code:
            return 0
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        print(_one_line(f"not kept: {type(error).__name__}"), file=sys.stderr)
    return post.TRY_AGAIN


def _run() -> None:
    try:
        app()
    except (CommandFailed, AlreadyServed, KeysMissing) as error:
        sys.exit(_one_line(str(error)))
    except ValidationError as error:
        first = error.errors()[0]
        name = "RACCORDO_" + "_".join(str(part) for part in first["loc"]).upper()
        sys.exit(_one_line(f"{name}: {first['msg'].removeprefix('Value error, ')}"))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read us has gone; without this the interpreter complains once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (SQLAlchemyError, ImportError) as error:
        sys.exit(_one_line(f"DATABASE_URL: {type(error).__name__}: the database cannot be used; see: raccordo check"))
    except (OSError, ValueError) as error:
        sys.exit(_one_line(f"{type(error).__name__}: {error}"))


def _one_line(text: str) -> str:
    return "raccordo: " + " ".join(text.split())


if __name__ == "__main__":
    main()
