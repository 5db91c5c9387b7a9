"""What `courses:` in a file of `products/` may say."""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, field_validator, model_validator

from roster_pipeline.fields import Identifier, Part, Text

_CONDITIONS: Final = ("title", "code", "subject", "subject_code", "grades")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is not a regular expression: {error}") from None
    return text


Pattern = Annotated[Text, AfterValidator(_pattern)]
"""A regular expression; it does not mind capitals."""


class CatalogueColumns(Part):
    """How the columns of the catalogue are called in its file."""

    id: Text = "id"
    title: Text = "title"
    course_codes: Text = "course_codes"
    """Districts' course codes that mean this course."""
    subject_codes: Text = "subject_codes"
    """Subject codes that mean this course, in the USA SCED codes."""
    grades: Text = "grades"
    """For whom it is: they help with suggestions only."""


class CourseRule(Part):
    """What every course is that fulfils all its conditions."""

    title: Pattern | None = None
    """Found anywhere in the title; accents may be left out."""
    code: Pattern | None = None
    """The whole course code."""
    subject: Pattern | None = None
    """Found anywhere in one of the subjects."""
    subject_code: Pattern | None = None
    """One whole subject code."""
    grades: tuple[Text, ...] = ()
    """One of these is among the course's grades."""
    sources: tuple[Identifier, ...] = ()
    """Only in these districts; in all if none is named."""
    course: Text | None = None
    """The id of a course in the catalogue."""
    ignore: StrictBool = False
    """Such courses are none of the product's."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.course is None) is not self.ignore:
            raise ValueError(
                "a rule says either `course`, an id of the catalogue, or `ignore: true`"
            )
        if not any(getattr(self, name) for name in _CONDITIONS):
            raise ValueError(f"a rule needs a condition: {', '.join(_CONDITIONS)}")
        return self


class CourseSettings(Part):
    """How a district's courses become a product's."""

    catalogue: Text
    """The CSV file with the product's courses, relative to the workspace."""
    columns: CatalogueColumns = Field(default_factory=CatalogueColumns)
    exact: tuple[Literal["course_codes", "subject_codes"], ...] = ("course_codes", "subject_codes")
    """Which codes decide by themselves, in this order, where they mean one course only."""
    rules: tuple[CourseRule, ...] = ()
    """For courses without a decision and a code; the first that fits holds."""
    suggest_from: Annotated[StrictInt, Field(ge=1, le=100)] = 70
    """How alike titles must be to be suggested; 100 are the same. Never applied by itself."""

    @field_validator("exact")
    @classmethod
    def _once(cls, exact: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(exact)) < len(exact):
            raise ValueError("a kind of code is named twice")
        return exact
