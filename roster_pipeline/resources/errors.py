"""What of an error may leave our code for Dagster, which keeps every text for ever.

Errors of our own carry a sentence made for people and pass. The text of any other may hold a
pupil's data, so only its kind and place pass.
"""

import traceback
from pathlib import PurePath
from typing import Final

_DATABASE_ERRORS: Final = (
    "sqlalchemy.exc.OperationalError",
    "sqlite3.OperationalError",
    "psycopg2.OperationalError",
    "psycopg2.InterfaceError",
    "sqlalchemy.exc.InterfaceError",
    "dagster_postgres.utils.DagsterPostgresException",
)
"""By name, as nobody who only reports errors should have to import what raises them."""


def sentence(error: BaseException) -> str:
    """What went wrong, in words that hold no cell and no secret."""
    if type(error).__module__.startswith("roster_pipeline."):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if is_of_a_database(error):
        return (
            "Dagster's own database cannot be written or read now. See that it answers and that "
            "its disk has room, then run this again: it goes on from what was finished."
        )
    return (
        f"An unexpected {type(error).__name__} in {place(error)}. Its text is withheld, as it may "
        "hold data from the files. This is a fault of roster-pipeline."
    )


def is_transient(error: BaseException) -> bool:
    """Whether trying again later may help without anybody changing anything."""
    return bool(getattr(error, "transient", False))


def is_of_a_database(error: BaseException) -> bool:
    """Whether a database that is not the ledger's could not be used: the ledger says so itself."""
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    return not kinds.isdisjoint(_DATABASE_ERRORS)


def place(error: BaseException) -> str:
    """The innermost line of our own code that an error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "roster_pipeline" in PurePath(frame.filename).parts]
    if not frames:
        return "an unknown place"
    frame = (own or frames)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"
