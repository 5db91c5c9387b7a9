"""The objects of the OneRoster REST API as rows of the standard's tables.

Rostering Binding 1.2 and REST 1.1 say the same as the CSV tables with other names: a reference is
an object, a list is an array, and a user of 1.2 holds their roles and profiles. Reading is
lenient and never fails: what has an impossible shape becomes a cell that the rules of the table
find.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import DATETIME, SECRET, Column, Kind
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.versions import role_ids, short_guid
from roster_pipeline.tables.arrow import cells, pc
from roster_pipeline.tables.text import TEXT, arrow, series

Record = Mapping[str, Any]

COLLECTIONS: Final = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "enrollments",
    "users",
    "demographics",
)
"""The collections that hold a whole roster, in the order in which they are pulled: enrollments
before users, so that whoever is enrolled meanwhile is there when users come."""

PROFILE_URI: Final = "urn:oneroster:userProfile:"
"""What our own profile ids begin with; the profile's sourcedId, percent-encoded, follows."""

_IN_USERS: Final = ("roles", "userProfiles")
# Rostering Binding 1.2 has other names for these than the CSV tables.
_RENAMED: Final = {
    "preferredGivenName": "preferredFirstName",
    "preferredFamilyName": "preferredLastName",
    "credentialType": "type",
}
_DATETIME: Final = re.compile(DATETIME)
_NOT_IN_A_GUID: Final = re.compile(r"[^0-9A-Za-z._/@-]")
_BLANKS: Final = " \t\n\v\f\r"


@dataclass(frozen=True)
class Rows:
    """Rows of one table."""

    frame: pd.DataFrame
    """The columns of the table in order, then `metadata.*` sorted; TEXT cells."""
    record: npt.NDArray[np.int64]
    """For each row the index of the record that it comes from."""


def collection_of(entity: str) -> str:
    """The collection whose records hold an entity: roles and profiles stand within users."""
    return "users" if entity in _IN_USERS else entity


@cache
def property_of(column: Column) -> str:
    """What the REST API calls a column, within the object that it belongs to."""
    if column.kind is Kind.REFERENCE and column.name != "sourcedId":
        return column.name.removesuffix("SourcedId")
    if column.kind is Kind.REFERENCES:
        return column.name.removesuffix("SourcedIds") + "s"
    return _RENAMED.get(column.name, column.name)


def rows_of(
    records: Sequence[Record],
    entity: str,
    version: Version,
    metadata: Collection[str] | None = None,
) -> Rows:
    """The rows of an entity in the records of its collection, as a CSV package of that version
    would have them; a record that is no object gives an empty row. Of what stands in `metadata`
    only these names, or all.

    Of 1.2 users, each role is a row whose sourcedId is derived from user, org and role, and each
    credential of a profile is one; a profile without credentials is none, as the table of
    profiles has no room for it. They share status and dateLastModified with their user. Passwords
    are not read. A comma within an item of a list is left out, as a list cell cannot hold it.
    """
    objects = [record if isinstance(record, Mapping) else {} for record in records]
    if entity == "roles":
        return _roles(objects)
    if entity == "userProfiles":
        return _profiles(objects)
    frame = _frame(objects, tables(version)[entity])
    return Rows(
        frame.assign(**_metadata(objects, metadata)), np.arange(len(objects), dtype=np.int64)
    )


# ---- what stands within users ----


def _roles(users: Sequence[Record]) -> Rows:
    nested = [(index, role) for index, user in enumerate(users) for role in _objects(user, "roles")]
    frame, record = _nested(users, nested, "roles")
    profiles = [
        profile_id(sourced_id(users[index]), text_of(role.get("userProfile")))
        for index, role in nested
    ]
    frame["userProfileSourcedId"] = _column(profiles, text_of)
    ids = role_ids(*(_bare(frame[name]) for name in ("userSourcedId", "orgSourcedId", "role")))
    frame["sourcedId"] = _apart(ids, frame.drop(columns="sourcedId"), record)
    return Rows(frame, record)


def _bare(column: pd.Series) -> pd.Series:
    return series(pc.ascii_trim_whitespace(arrow(column)))


def _profiles(users: Sequence[Record]) -> Rows:
    nested, ids = [], []
    for index, user in enumerate(users):
        person = sourced_id(user)
        for profile in _objects(user, "userProfiles"):
            key = profile_id(person, text_of(profile.get("profileId")))
            for number, credential in enumerate(_objects(profile, "credentials"), start=1):
                nested.append((index, {**profile, **credential}))
                ids.append(key if number == 1 or key is None else f"{key}.{number}")
    frame, record = _nested(users, nested, "userProfiles")
    frame["sourcedId"] = _column(ids, text_of)
    return Rows(frame, record)


def _nested(
    users: Sequence[Record], nested: Sequence[tuple[int, Record]], entity: str
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """The rows of objects that stand within users, with what the users say of them all."""
    of_user = ("sourcedId", "status", "dateLastModified")
    objects = [
        {**found, **{name: users[index].get(name) for name in of_user}} for index, found in nested
    ]
    frame = _frame(objects, tables(Version.V1P2)[entity])
    frame["userSourcedId"] = frame["sourcedId"]
    return frame, np.array([index for index, _ in nested], dtype=np.int64)


def profile_id(user: str | None, uri: str | None) -> str | None:
    """The sourcedId of a profile. Its URI is unique among those of its user only (Rostering
    Information Model 1.2), so the user's sourcedId goes before it, unless the URI is of our own
    making."""
    if uri is None:
        return None
    if uri.startswith(PROFILE_URI):
        return unquote(uri.removeprefix(PROFILE_URI))
    return short_guid(_NOT_IN_A_GUID.sub("_", f"{user}.{uri}"))


def _apart(ids: pd.Series, contents: pd.DataFrame, record: npt.NDArray[np.int64]) -> pd.Series:
    """Number the rows of one record that share a derived sourcedId and differ: a pupil who left and
    came back has the same role twice. Rows that are alike in all keep one sourcedId, and of a
    record that is sent twice each row has the same one both times."""
    shared = ids.duplicated(keep=False) & ids.notna()
    if not shared.any():
        return ids
    table = contents[shared].fillna("").assign(_id=ids[shared], _record=record[shared])
    order = ["beginDate", *(name for name in contents.columns if name != "beginDate")]
    first = ~table.duplicated()
    number = table[first].sort_values(order).groupby(["_id", "_record"]).cumcount()
    alike = table.groupby(list(table.columns), sort=False).ngroup()
    numbers = alike.map(dict(zip(alike[number.index], number, strict=True)))
    again = numbers.index[numbers > 0]
    ids = ids.copy()
    ids[again] = [f"{ids[row]}.{numbers[row] + 1}" for row in again]
    return ids


def _objects(holder: Record, name: str) -> list[Record]:
    found = holder.get(name)
    if isinstance(found, Mapping):
        return [found]
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


# ---- columns ----


def _frame(objects: Sequence[Record], table: Sequence[Column]) -> pd.DataFrame:
    """The columns of a table out of objects that have its properties."""
    frame = {}
    for column in table:
        name = property_of(column)
        values = [] if column.name in SECRET else [found.get(name) for found in objects]
        frame[column.name] = _column(values or [None] * len(objects), _READERS[column.kind])
    return pd.DataFrame(frame)


def metadata_names(records: Sequence[Any]) -> Counter[str]:
    """The names in the records' metadata, as they can be written, with how many have each."""
    found = Counter(chain.from_iterable(map(_metadata_of, records)))
    names: Counter[str] = Counter()
    for name, count in found.items():
        if said := text_of(name):
            names[said] += count
    return names


def _metadata(objects: Sequence[Record], wanted: Collection[str] | None) -> dict[str, pd.Series]:
    """A column for each name in the objects' metadata under which anything stands."""
    found = [_metadata_of(each) for each in objects]
    columns: dict[str, pd.Series] = {}
    for name in sorted(set(chain.from_iterable(found))):
        said = text_of(name)
        if not said or (wanted is not None and said not in wanted):
            continue
        column = _column([metadata.get(name) for metadata in found], text_of)
        if column.notna().any():
            # Names that cannot be written may be one name when they are.
            before = columns.get(METADATA + said)
            columns[METADATA + said] = column if before is None else before.fillna(column)
    return columns


def _metadata_of(record: Any) -> Mapping[str, Any]:
    metadata = record.get("metadata") if isinstance(record, Mapping) else None
    return metadata if isinstance(metadata, Mapping) else {}


def _column(values: Sequence[Any], read: Callable[[Any], str | None]) -> pd.Series:
    """A column of texts. Nearly all values are texts already, and Arrow takes those at once."""
    try:
        made = _series(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return _series([read(value) for value in values])
    if read is _instant and not made.dropna().str.match(DATETIME).all():
        return _series([read(value) for value in values])
    return made


def _series(values: Sequence[str | None]) -> pd.Series:
    made = series(pa.array(values, pa.large_string()))
    return series(cells(made)).astype(TEXT)


# ---- cells ----


def text_of(value: Any) -> str | None:
    """A value as a cell; of what is neither text, number nor boolean the JSON text."""
    if value is None or value in ([], {}):
        return None
    if isinstance(value, list) and len(value) == 1:
        return text_of(value[0])
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can hold half of a pair of surrogates
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text or None


def reference_of(value: Any) -> str | None:
    """The sourcedId of a reference: of an object that has one, or else of what its address ends
    in; or the bare text."""
    if isinstance(value, dict):
        return _filled(value.get("sourcedId")) or _end_of(value.get("href"))
    if isinstance(value, list):
        return _joined([_filled(reference_of(item)) for item in value])
    return text_of(value)


def _end_of(href: Any) -> str | None:
    """The last step of an address, whole or relative."""
    if not isinstance(href, str):
        return None
    try:
        path = urlsplit(href.strip(_BLANKS)).path
    except ValueError:
        return None
    return text_of(unquote(path.rstrip("/").rpartition("/")[2]))


def sourced_id(record: Record) -> str | None:
    """The sourcedId of a record, without blanks around it."""
    text = text_of(record.get("sourcedId"))
    return text and (text.strip(_BLANKS) or None)


def _filled(value: Any) -> str | None:
    """A value as a cell, or nothing if it is blanks alone."""
    text = text_of(value)
    return text if text and text.strip(_BLANKS) else None


def _strings(value: Any) -> str | None:
    if not isinstance(value, list):
        return text_of(value)
    return _joined([text.replace(",", "") for item in value if (text := _filled(item))])


def _user_ids(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        return text_of(value)
    return _joined([_user_id(item) for item in value])


def _user_id(item: Any) -> str | None:
    """`{type:identifier}`, as the CSV tables have it; one without an identifier says nothing."""
    if not isinstance(item, Mapping):
        return text_of(item)
    identifier = text_of(item.get("identifier"))
    return identifier and f"{{{text_of(item.get('type')) or ''}:{identifier}}}"


def _joined(items: Sequence[str | None]) -> str | None:
    return ",".join(item for item in items if item) or None


def _instant(value: Any) -> str | None:
    """A time as UTC in the CSV tables' form; one without an offset stays as it is."""
    text = text_of(value)
    if text is None or _DATETIME.match(text):
        return text
    try:
        moment = datetime.fromisoformat(text)
        return utc_text(moment) if moment.tzinfo else text
    except (ValueError, OverflowError):
        return text


def utc_text(moment: datetime) -> str:
    """A moment as the standard's dateTime: UTC, with three digits of a second."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


_READERS: Final[Mapping[Kind, Callable[[Any], str | None]]] = {
    **dict.fromkeys(Kind, text_of),
    Kind.REFERENCE: reference_of,
    Kind.REFERENCES: reference_of,
    Kind.STRINGS: _strings,
    Kind.USER_IDS: _user_ids,
    Kind.DATETIME: _instant,
}
