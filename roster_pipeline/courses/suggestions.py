"""Suggests what an unmapped course may be. A person decides; nothing here is ever applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process

from roster_pipeline.courses.catalogue import Catalogue
from roster_pipeline.courses.matching import Course, courses_of
from roster_pipeline.courses.titles import grade_key, items, words

# Titles compared at once: with a catalogue of 5,000 courses some 20 MB of scores and ranks.
_CHUNK: Final = 250
# So many of the likest titles are looked at closely.
_CLOSE: Final = 20
# `Algebra 1` is as like to `Algebra 2` as a title with a slip of the pen, and never the same.
_OTHER_NUMBERS: Final = 25
_NUMBER_MISSING: Final = 5
_OTHER_GRADES: Final = 10
# What a shared code is worth by itself, where it does not decide.
_SHARED_CODE: Final = 90


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A course of the catalogue that a district's course may be."""

    course: str
    """The district's course, by its sourcedId."""
    product_course: str
    title: str
    """The catalogue's title of it."""
    score: int
    """From 0 to 100; a title of the same words has 100."""
    reason: str


def suggest(
    unmapped: pd.DataFrame, catalogue: Catalogue, *, at_least: int, most: int = 3
) -> dict[str, list[Suggestion]]:
    """For each unmapped course (a frame with the columns of `matching.READ`) the likeliest ones.

    At most `most` with a score of `at_least`, the best first, those of the same score in the
    catalogue's order. A course without any has none.
    """
    likeness = _Likeness(catalogue)
    courses = list(courses_of(unmapped))
    found = {}
    for course, close in zip(courses, likeness.close(courses), strict=True):
        coded = likeness.with_codes_of(course)
        judged = [likeness.judged(course, at, at in coded) for at in sorted(coded.union(close))]
        # Sorting is stable: of the same score the first of the catalogue stays first.
        judged.sort(key=lambda suggestion: -suggestion.score)
        found[course.sourced_id] = [one for one in judged[:most] if one.score >= at_least]
    return found


class _Likeness:
    """A catalogue, ready to be compared with."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._ids = catalogue.courses["id"].tolist()
        self._words = [words(title) for title in catalogue.courses["title"]]
        self._plain = [" ".join(found) for found in self._words]
        self._sorted = [" ".join(sorted(found)) for found in self._words]
        self._grades = [frozenset(map(grade_key, items(c))) for c in catalogue.courses["grades"]]
        self._places = {course: at for at, course in enumerate(self._ids)}

    def close(self, courses: Sequence[Course]) -> Iterator[list[int]]:
        """For each course the places of the likest titles in the catalogue."""
        titles = list(dict.fromkeys(" ".join(words(course.title)) for course in courses))
        likest = dict(zip(titles, self._likest(titles), strict=True))
        for course in courses:
            yield likest[" ".join(words(course.title))]

    def _likest(self, titles: Sequence[str]) -> Iterator[list[int]]:
        for start in range(0, len(titles), _CHUNK):
            chunk = titles[start : start + _CHUNK]
            ordered = [" ".join(sorted(title.split())) for title in chunk]
            scores = np.maximum(_ratios(chunk, self._plain), _ratios(ordered, self._sorted))
            # The likest first, and of equal ones the first of the catalogue.
            ranks = scores.astype(np.int32) * len(self._ids) - np.arange(len(self._ids))
            keep = min(_CLOSE, len(self._ids))
            yield from np.argpartition(-ranks, keep - 1, axis=1)[:, :keep].tolist()

    def with_codes_of(self, course: Course) -> frozenset[int]:
        """The places in the catalogue that share a code with a course."""
        return frozenset(
            self._places[found]
            for kind, meant in self._catalogue.codes.items()
            for code in getattr(course, kind)
            for found in meant.get(code, ())
        )

    def judged(self, course: Course, at: int, coded: bool) -> Suggestion:
        """A place in the catalogue as a suggestion; `coded` if it shares a code."""
        ours = words(course.title)
        plain, ordered = " ".join(ours), " ".join(sorted(ours))
        ratio = max(fuzz.ratio(plain, self._plain[at]), fuzz.ratio(ordered, self._sorted[at]))
        score = round(ratio) if ratio == 100 else min(99, round(ratio))
        said = ["the titles say the same" if score == 100 else f"the titles are {score} % alike"]
        numbers, others = _numbers(ours), _numbers(self._words[at])
        if numbers != others:
            score -= _OTHER_NUMBERS if numbers and others else _NUMBER_MISSING
            said.append("the numbers differ" if numbers and others else "one has a number")
        if course.grades and self._grades[at]:
            apart = course.grades.isdisjoint(self._grades[at])
            score -= _OTHER_GRADES if apart else 0
            said.append("the grades differ" if apart else "the grades agree")
        if coded:
            score = max(score, _SHARED_CODE)
            said.append("a code is the same")
        found = self._ids[at]
        return Suggestion(
            course.sourced_id,
            found,
            self._catalogue.titles[found],
            max(score, 0),
            ", ".join(said),
        )


def _ratios(titles: Sequence[str], choices: Sequence[str]) -> npt.NDArray[np.uint8]:
    scores: npt.NDArray[np.uint8] = process.cdist(
        titles, choices, scorer=fuzz.ratio, dtype=np.uint8, workers=-1
    )
    return scores


def _numbers(found: Sequence[str]) -> frozenset[str]:
    return frozenset(word for word in found if word.isdigit())
