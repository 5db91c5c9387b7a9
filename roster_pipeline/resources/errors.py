"""What of an error may leave our code for Dagster, which keeps every text for ever.

Errors of our own carry a sentence made for people and pass. The text of any other may hold a
pupil's data, so only its kind and place pass.
"""

import traceback
from pathlib import PurePath


def sentence(error: BaseException) -> str:
    """What went wrong, in words that hold no cell and no secret."""
    if type(error).__module__.startswith("roster_pipeline."):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return (
        f"An unexpected {type(error).__name__} in {place(error)}. Its text is withheld, as it may "
        "hold data from the files. This is a fault of roster-pipeline."
    )


def is_transient(error: BaseException) -> bool:
    """Whether trying again later may help without anybody changing anything."""
    return bool(getattr(error, "transient", False))


def place(error: BaseException) -> str:
    """The innermost line of our own code that an error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "roster_pipeline" in PurePath(frame.filename).parts]
    if not frames:
        return "an unknown place"
    frame = (own or frames)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"
