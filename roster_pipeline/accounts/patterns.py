"""How a person's userName or externalId is put together from the columns of users.

A pattern is text with names of columns in braces, `{username}@school.example`; a bare column name,
`email`, is the same as `{email}`. Read by every command, so no frames are imported here; `identity`
fills patterns.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StrictStr

SOURCE: Final = "source"
"""The one name in a pattern that is no column: the source's id."""
USER_IDS: Final = "userIds."
"""Before a type of the ids in userIds: `userIds.LDAP`."""
_METADATA: Final = "metadata."
NAMED: Final = re.compile(r"\{([^{}]*)\}")
"""A name in a pattern."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def _valid(text: str) -> str:
    pattern = "{" + text + "}" if _NAME.fullmatch(text) and _is_column(text) else text
    found = NAMED.findall(pattern)
    if "{" in NAMED.sub("", pattern) or "}" in NAMED.sub("", pattern):
        raise ValueError("a brace is not closed, or not opened")
    if not any(name != SOURCE for name in found):
        raise ValueError(
            "name at least one column of users, such as {sourcedId}; everybody would be the same"
        )
    for name in found:
        if name != SOURCE and not _is_column(name):
            raise ValueError(
                f"users has no column {name!r} to take this from; say such a one as username,"
                " email, identifier, userIds.<type>, metadata.<name>, or source"
            )
    return pattern


def _is_column(name: str) -> bool:
    from roster_pipeline.oneroster.entities import SECRET, names

    if name.startswith((USER_IDS, _METADATA)):
        return len(name.partition(".")[2]) > 0
    return name in names("users") and name not in SECRET


Pattern = Annotated[StrictStr, AfterValidator(_valid)]
"""A pattern, checked; bare column names have got their braces."""


def columns_of(pattern: str) -> list[str]:
    """The columns of users that a pattern reads."""
    named = [name for name in NAMED.findall(pattern) if name != SOURCE]
    return ["userIds" if name.startswith(USER_IDS) else name for name in named]
