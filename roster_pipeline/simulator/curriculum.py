"""What the district's schools teach: courses with subjects and SCED-like codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Final

KINDERGARTEN: Final = 0
FIRST_SECONDARY: Final = 6
LAST_GRADE: Final = 12
GRADES: Final = ("KG", *(f"{grade:02d}" for grade in range(1, LAST_GRADE + 1)))
"""CEDS Entry Grade Level words, by grade number."""


class Department(IntEnum):
    """Who teaches a course."""

    HOMEROOM = 0
    SPECIALIST = 1
    """Art, music and physical education in an elementary school."""
    ENGLISH = 2
    MATHEMATICS = 3
    SCIENCE = 4
    SOCIAL = 5
    LANGUAGES = 6
    PHYSICAL = 7
    ELECTIVE = 8


@dataclass(frozen=True)
class Course:
    """A course of the district's catalogue."""

    title: str
    code: str
    subject: str
    sced: str
    department: Department
    grades: tuple[int, ...]
    semester: bool = False
    """Taught within one semester; otherwise the whole year."""
    homeroom: bool = False


def _elementary() -> list[Course]:
    kinds = (
        # SCED's prior-to-secondary subject areas are the secondary ones plus 50.
        ("Homeroom", "HR", "Homeroom", "72101", Department.HOMEROOM),
        ("Reading, Writing and Spelling", "ELA", "English Language and Literature", "51", None),
        ("Mathematics", "MAT", "Mathematics", "52", None),
        ("Art and Music", "ART", "Visual and Performing Arts", "55", Department.SPECIALIST),
        ("Physical Education", "PE", "Physical Education", "58", Department.SPECIALIST),
    )
    return [
        Course(
            f"Grade {GRADES[grade].lstrip('0')} {title}" if grade else f"Kindergarten {title}",
            f"{code}{GRADES[grade]}",
            subject,
            (sced + f"{28 + grade:03d}")[:5],
            Department.HOMEROOM if department is None else department,
            (grade,),
            homeroom=code == "HR",
        )
        for grade in range(FIRST_SECONDARY)
        for title, code, subject, sced, department in kinds
    ]


_ENGLISH: Final = "English Language and Literature"
_SOCIAL: Final = "Social Sciences and History"
_SCIENCE: Final = "Life and Physical Sciences"
_WORLD: Final = "World Languages"
_ARTS: Final = "Visual and Performing Arts"
_COMPUTING: Final = "Information Technology"
_PHYSICAL: Final = "Physical Education"
_MIDDLE: Final = (6, 7, 8)
_HIGH: Final = (9, 10, 11, 12)


def _secondary() -> list[Course]:
    d = Department
    return [
        Course("Language Arts 6", "ELA06", _ENGLISH, "51034", d.ENGLISH, (6,)),
        Course("Language Arts 7", "ELA07", _ENGLISH, "51035", d.ENGLISH, (7,)),
        Course("Language Arts 8", "ELA08", _ENGLISH, "51036", d.ENGLISH, (8,)),
        Course("English I", "ENG1", _ENGLISH, "01001", d.ENGLISH, (9,)),
        Course("English II", "ENG2", _ENGLISH, "01002", d.ENGLISH, (10,)),
        Course("English III", "ENG3", _ENGLISH, "01003", d.ENGLISH, (11,)),
        Course("English IV", "ENG4", _ENGLISH, "01004", d.ENGLISH, (12,)),
        Course("AP English Literature", "ENGAP", _ENGLISH, "01006", d.ENGLISH, (11, 12)),
        Course("Mathematics 6", "MAT06", "Mathematics", "52036", d.MATHEMATICS, (6,)),
        Course("Mathematics 7", "MAT07", "Mathematics", "52037", d.MATHEMATICS, (7,)),
        Course("Pre-Algebra", "PREALG", "Mathematics", "02051", d.MATHEMATICS, (7, 8)),
        Course("Algebra I", "ALG1", "Mathematics", "02052", d.MATHEMATICS, (8, 9)),
        Course("Geometry", "GEO", "Mathematics", "02072", d.MATHEMATICS, (9, 10)),
        Course("Algebra II", "ALG2", "Mathematics", "02056", d.MATHEMATICS, (10, 11)),
        Course("Pre-Calculus", "PRECALC", "Mathematics", "02110", d.MATHEMATICS, (11, 12)),
        Course("Probability and Statistics", "STAT", "Mathematics", "02201", d.MATHEMATICS, (12,)),
        Course("Earth Science 6", "SCI06", _SCIENCE, "53236", d.SCIENCE, (6,)),
        Course("Life Science 7", "SCI07", _SCIENCE, "53237", d.SCIENCE, (7,)),
        Course("Physical Science 8", "SCI08", _SCIENCE, "53238", d.SCIENCE, (8,)),
        Course("Biology", "BIO", _SCIENCE, "03051", d.SCIENCE, (9, 10)),
        Course("Chemistry", "CHEM", _SCIENCE, "03101", d.SCIENCE, (10, 11)),
        Course("Physics", "PHYS", _SCIENCE, "03151", d.SCIENCE, (11, 12)),
        Course("Environmental Science", "ENV", _SCIENCE, "03003", d.SCIENCE, (9, 12)),
        Course("Social Studies 6", "SOC06", _SOCIAL, "54436", d.SOCIAL, (6,)),
        Course("Social Studies 7", "SOC07", _SOCIAL, "54437", d.SOCIAL, (7,)),
        Course("U.S. History 8", "SOC08", _SOCIAL, "54438", d.SOCIAL, (8,)),
        Course("World Geography", "GEOG", _SOCIAL, "04001", d.SOCIAL, (9,)),
        Course("World History", "WHIST", _SOCIAL, "04051", d.SOCIAL, (10,)),
        Course("U.S. History", "USHIST", _SOCIAL, "04101", d.SOCIAL, (11,)),
        Course("U.S. Government", "GOV", _SOCIAL, "04151", d.SOCIAL, (12,)),
        Course("Spanish for Beginners", "SPA0", _WORLD, "24051", d.LANGUAGES, _MIDDLE),
        Course("French for Beginners", "FRE0", _WORLD, "24101", d.LANGUAGES, _MIDDLE),
        Course("Spanish I", "SPA1", _WORLD, "24052", d.LANGUAGES, (9, 10)),
        Course("Spanish II", "SPA2", _WORLD, "24053", d.LANGUAGES, (11, 12)),
        Course("Français I", "FRE1", _WORLD, "24102", d.LANGUAGES, (9, 10)),
        Course("Français II", "FRE2", _WORLD, "24103", d.LANGUAGES, (11, 12)),
        Course("Mandarin I", "MAN1", _WORLD, "24402", d.LANGUAGES, _HIGH),
        Course("Physical Education 6-8", "PE68", _PHYSICAL, "58038", d.PHYSICAL, _MIDDLE),
        Course("Fitness for Life", "PE912", "Physical Education", "08005", d.PHYSICAL, _HIGH),
        Course("Wheel: Art", "WART", _ARTS, "05151", d.ELECTIVE, _MIDDLE, True),
        Course("Wheel: Band", "WBAND", _ARTS, "05102", d.ELECTIVE, _MIDDLE, True),
        Course("Wheel: Coding", "WCODE", _COMPUTING, "10011", d.ELECTIVE, _MIDDLE, True),
        Course('Studio Art "Seeing"', "ART1", _ARTS, "05154", d.ELECTIVE, _HIGH, True),
        Course("Choir", "CHOIR", _ARTS, "05110", d.ELECTIVE, _HIGH, True),
        Course("Theatre", "THEA", _ARTS, "05052", d.ELECTIVE, _HIGH, True),
        Course("Programming", "CS1", _COMPUTING, "10012", d.ELECTIVE, _HIGH, True),
        Course(
            "Cooking, Baking, Nutrition", "FOOD", "Hospitality", "16054", d.ELECTIVE, _HIGH, True
        ),
        Course("Personal Finance", "PFIN", "Business", "12103", d.ELECTIVE, _HIGH, True),
    ]


COURSES: Final[tuple[Course, ...]] = (*_elementary(), *_secondary())
"""The catalogue; a course is known elsewhere by its position here."""

# What fills a secondary student's day, a slot for each period.
SLOTS: Final = (
    Department.ENGLISH,
    Department.MATHEMATICS,
    Department.SCIENCE,
    Department.SOCIAL,
    Department.LANGUAGES,
    Department.PHYSICAL,
    Department.ELECTIVE,
)
PERIODS: Final = len(SLOTS)


@cache
def offered(grade: int, department: Department | None = None) -> Sequence[int]:
    """Positions of the courses open to a grade, in one department or in all."""
    return tuple(
        position
        for position, course in enumerate(COURSES)
        if grade in course.grades and department in (None, course.department)
    )
