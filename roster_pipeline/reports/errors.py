"""What went wrong, in words that hold no cell and no secret."""

import traceback
from pathlib import PurePath


def sentence(error: BaseException) -> str:
    """An error for a person.

    Errors of our own speak for themselves, and so does a file that is missing or closed to us. The
    text of any other may hold data from the files, so only its kind and place are told.
    """
    if type(error).__module__.startswith("roster_pipeline."):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return (
        f"An unexpected {type(error).__name__} in {place(error)}. Its text is withheld, as it may "
        "hold data from the files. This is a fault of roster-pipeline."
    )


def place(error: BaseException) -> str:
    """The innermost line of our own code that an error passed through, or its own line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "roster_pipeline" in PurePath(frame.filename).parts]
    if not frames:
        return "no known place"
    frame = (own or frames)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"
