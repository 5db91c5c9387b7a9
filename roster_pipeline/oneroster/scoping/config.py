"""What a file in `sources/` or `destinations/` may say under `scope`."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from roster_pipeline.fields import Part, Text

Year = Annotated[StrictInt, Field(ge=1900, le=2999)]


class Courses(Part):
    """Which courses are taken, by shell patterns for their courseCode; case counts."""

    include: tuple[Text, ...] = ("*",)
    """At least one of these has to fit. A course without a code fits only `*`."""
    exclude: tuple[Text, ...] = ()
    """None of these may fit."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.include or (self.include == ("*",) and not self.exclude):
            raise ValueError("this takes all courses or none; leave `courses` out to take all")
        return self


def _courses(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f'say a list of courseCodes or patterns for them, such as ["{value}"]')
    return {"include": value} if isinstance(value, list) else value


class Scope(Part):
    """What of a roster is taken; all of it by default. What is said has to hold all together."""

    schools: tuple[Text, ...] | None = None
    """sourcedIds of the schools to take; an org stands for those below it, too."""
    grades: tuple[Text, ...] | None = None
    """Grades of the students to take, spelled as the roster spells them. With them come the classes
    that they are in, their guardians, and the teachers of these classes."""
    years: tuple[Year, ...] | None = None
    """School years, as academicSessions say them in schoolYear, whose classes to take."""
    terms: tuple[Text, ...] | None = None
    """sourcedIds or titles of the academicSessions whose classes to take; one stands for those
    below it, too."""
    roles: tuple[Text, ...] | None = None
    """Roles of OneRoster 1.2 to take; who has none of them is left out."""
    courses: Annotated[
        Courses | None, BeforeValidator(_courses, json_schema_input_type=list[Text] | Courses)
    ] = None
    """The courses whose classes to take; a list is short for `include`."""

    @field_validator("schools", "grades", "years", "terms", "roles")
    @classmethod
    def _some(cls, named: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[Any, ...] | None:
        if named is not None and not named:
            raise ValueError(f"the list is empty; leave `{info.field_name}` out to take all")
        if named is not None and len(set(named)) < len(named):
            raise ValueError(f"a {str(info.field_name).removesuffix('s')} is named twice")
        return named

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for role in roles or ():
            if problem := wrong_role(role):
                raise ValueError(problem)
        return roles

    @model_validator(mode="after")
    def _students_of_grades(self) -> Self:
        if self.grades is not None and self.roles is not None and "student" not in self.roles:
            raise ValueError("`grades` choose students, and `roles` leave all students out")
        return self

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return all(getattr(self, key) is None for key in type(self).model_fields)


def wrong_role(role: str) -> str | None:
    """Why a word is no role of OneRoster 1.2; None where it is one."""
    # Stated beside heavy libraries, which only those wait for who name a role.
    from roster_pipeline.oneroster.entities import EXTENSION, columns

    roles = next(column.words for column in columns("roles") if column.name == "role")
    if role in roles or re.fullmatch(EXTENSION, role):
        return None
    return f"1.2 has no role {role}; its roles are {', '.join(roles)}, or ext: and a word"
