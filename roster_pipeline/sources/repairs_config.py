"""What `lookups:`, `repairs:` and `end_dates:` of a source's file may say, or of what a vendor's
profile says for all its sources.

lookups:
  users.grades: {"Gr 9": "09", Kinder: KG}
  orgs.type: {Campus: school}
repairs:
  dates: [M/D/YYYY]
  blanks_in_ids: underscore
end_dates: inclusive

Columns may be named of either version; what the version of a package lacks does nothing there.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

from roster_pipeline.fields import Part, Text
from roster_pipeline.oneroster.named_columns import named_columns, nearest
from roster_pipeline.sources.date_forms import DateForm, contradict


def folded(text: str) -> str:
    """A word of a lookup as it is compared."""
    return text.strip().lower()


def _a_word(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("YAML reads this word as a number or the like; write it in quotes")
    return value


def _a_column(name: str) -> str:
    named_columns(name)
    return name


def _sound(lookups: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    for problem in _problems(lookups):
        raise ValueError(problem)
    return lookups


def _problems(lookups: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name, words in lookups.items():
        known: dict[str, str] = {}
        for word, meant in words.items():
            if known.setdefault(folded(word), meant) != meant:
                yield f"{name}: {word} stands there twice, as case and blanks do not count"
            if problem := _wrong_word(name, meant) or _too_late(name, word, meant):
                yield problem


def _too_late(name: str, word: str, meant: str) -> str | None:
    """Why a word never comes to be looked up; None where it does, or need not."""
    from roster_pipeline.oneroster.spelling import as_read

    for column in named_columns(name):
        read = as_read(column, word)
        if folded(read) != folded(word) and read != meant:
            return (
                f"{name}: {word} is always read as {read}, so it cannot mean {meant or 'nothing'}"
            )
    return None


def _wrong_word(name: str, meant: str) -> str | None:
    """Why no column of this name can have a cell, in either version; None where one can."""
    from roster_pipeline.oneroster.entities import EXTENSION, Kind, Required, is_date

    named = named_columns(name)
    if not meant:
        always = all(column.required is Required.ALWAYS for column in named)
        return (
            f"{name}: a row needs this cell, so no word can stand for nothing" if always else None
        )
    if all(column.kind is Kind.DATE for column in named):
        return None if is_date(meant) else f"{name}: {meant} is no date as YYYY-MM-DD"
    words = list(dict.fromkeys(word for column in named for word in column.words))
    if not words or meant in words:
        return None
    if any(column.extensible for column in named) and re.fullmatch(EXTENSION, meant):
        return None
    return f"{name} knows no word {meant}; {nearest(meant, words, 'its words are')}"


ColumnName = Annotated[Text, AfterValidator(_a_column)]
Word = Annotated[Text, BeforeValidator(_a_word, json_schema_input_type=str)]
Lookups = Annotated[dict[ColumnName, dict[Word, StrictStr]], AfterValidator(_sound)]
"""`entity.column` → what a district writes → what the standard calls it, or nothing for an empty
cell. Blanks around a cell and its case do not count; of a cell that is a list each item is looked
up. Where sourcedIds are looked up, so is what refers to them."""
EndDates = Literal["exclusive", "inclusive"]
"""Whether a last day is the first one that is over, as the standard has it, or the last that is
not, as many systems send it."""


def _distinct_forms(forms: tuple[str, ...]) -> tuple[str, ...]:
    for place, form in enumerate(forms):
        for other in forms[:place]:
            if contradict(DateForm(other), DateForm(form)):
                raise ValueError(
                    f"{other} and {form} read the same date as two different days; keep the one "
                    "that the export uses"
                )
    return forms


def _a_form(text: str) -> str:
    DateForm(text)
    return text


Width = Annotated[StrictInt, Field(ge=2, le=255)]


class Repairs(Part):
    """Cells that are written in a way of the district's own. Each repaired cell is counted."""

    dates: Annotated[
        tuple[Annotated[Text, AfterValidator(_a_form)], ...], AfterValidator(_distinct_forms)
    ] = ()
    """How dates are written, in the letters Y, M and D, such as `M/D/YYYY`; tried in this order."""
    blanks_in_ids: Literal["keep", "underscore"] = "keep"
    """What becomes of blanks within sourcedIds and references to them."""
    pad: dict[ColumnName, Width] = Field(default_factory=dict)
    """`entity.column` → how many digits it has at least; zeros are put in front of fewer. Where
    sourcedIds are padded, so is what refers to them."""


class Mending(Part):
    """The three keys together: how the cells of a source's packages are mended."""

    lookups: Lookups = Field(default_factory=dict)
    repairs: Repairs = Repairs()
    end_dates: EndDates = "exclusive"


def over(vendors: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What a source says of the three keys, `own`, over what its vendor's profile says, as both
    stand in YAML: a source's words are added to the profile's, column by column, and win where they
    are the same; a key of `repairs` wins as a whole. Keys that neither has are left out."""
    made = {key: value for key, value in own.items() if key in Mending.model_fields}
    for key, value in vendors.items():
        if key in Mending.model_fields:
            made[key] = _both(key, value, made[key]) if key in made else value
    return made


def _both(key: str, vendors: Any, own: Any) -> Any:
    if not isinstance(vendors, Mapping) or not isinstance(own, Mapping):
        return own
    if key != "lookups":
        return {**vendors, **own}
    return {
        column: _words(vendors.get(column, {}), own.get(column, {}))
        for column in {**vendors, **own}
    }


def _words(vendors: Any, own: Any) -> Any:
    if not isinstance(vendors, Mapping) or not isinstance(own, Mapping):
        return own
    said = {folded(word) for word in own if isinstance(word, str)}
    return {**{word: meant for word, meant in vendors.items() if folded(word) not in said}, **own}
