"""What people are called: Faker's name lists of many locales, drawn vectorised.

Faker itself is used only for its lists: drawing a name at a time would cost minutes for a large
district. The lists are read once per process.
"""

import importlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[Any]
"""An integer array of whatever width its table keeps."""

LOCALES: Final[tuple[tuple[str, float], ...]] = (
    # Share of families by naming locale: about what a large coastal district of the US has.
    ("en_US", 0.42),
    ("es_MX", 0.20),
    ("en_IE", 0.05),
    ("ar_AA", 0.03),
    ("hi_IN", 0.03),
    ("vi_VN", 0.03),
    ("fr_FR", 0.03),
    ("pt_BR", 0.03),
    ("zh_CN", 0.02),
    ("ko_KR", 0.02),
    ("uk_UA", 0.02),
    ("de_DE", 0.02),
    ("it_IT", 0.02),
    ("yo_NG", 0.02),
    ("sw", 0.01),
    ("el_GR", 0.01),
    ("hy_AM", 0.01),
    ("tr_TR", 0.01),
    ("ja_JP", 0.01),
    ("he_IL", 0.01),
)
WESTERN: Final[tuple[str, ...]] = ("en_US", "es_MX", "en_IE", "fr_FR", "pt_BR", "de_DE", "it_IT")
"""Locales whose names can all be written in Windows-1252."""

TWO_SURNAMES: Final = ("es_MX", "pt_BR")

# Names that careless readers take for missing values, truth values or the end of a string.
AWKWARD_GIVEN: Final = ("NA", "Null", "Nan", "None", "True", "D'Andre", "Anne-Marie")
AWKWARD_FAMILY: Final = ("Null", "NA", "None", "O'Brien", "D'Angelo", "de la Cruz", "van den Berg")

_PLAIN: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "þ": "th"}
)


@dataclass(frozen=True)
class NameBook:
    """All names in use. `given` and `family` are drawn by index; the awkward ones come last."""

    given: pa.LargeStringArray
    family: pa.LargeStringArray
    given_login: pa.LargeStringArray
    """The given name as a login spells it: a-z only, "x" where nothing remains."""
    family_login: pa.LargeStringArray
    initial_login: pa.LargeStringArray
    shares: npt.NDArray[np.float64]
    """Cumulative share of families for each locale."""
    two_surnames: npt.NDArray[np.bool_]
    given_start: Ints
    """First given name of [locale, sex]; sex 0 is female, 1 male."""
    given_count: Ints
    family_start: Ints
    family_count: Ints
    awkward_given: int
    """Index of the first awkward given name."""
    awkward_family: int

    def locales(self, rng: np.random.Generator, count: int) -> Ints:
        """A naming locale for each of so many families."""
        drawn = np.searchsorted(self.shares, rng.random(count), side="right")
        return np.minimum(drawn, len(self.shares) - 1).astype(np.int8)

    def draw_given(self, rng: np.random.Generator, locale: Ints, sex: Ints) -> Ints:
        """A given name for each person of a locale and sex."""
        start, count = self.given_start[locale, sex], self.given_count[locale, sex]
        return (start + (rng.random(len(locale)) * count).astype(np.int64)).astype(np.int32)

    def draw_family(self, rng: np.random.Generator, locale: Ints) -> Ints:
        """A family name for each family of a locale."""
        start, count = self.family_start[locale], self.family_count[locale]
        return (start + (rng.random(len(locale)) * count).astype(np.int64)).astype(np.int32)


def login_form(name: str) -> str:
    """A name as logins spell it: lower-case a-z, or nothing for scripts that have no such form."""
    folded = unicodedata.normalize("NFKD", name.lower().translate(_PLAIN))
    return re.sub("[^a-z]", "", folded)


def _clean(names: Iterable[str]) -> list[str]:
    seen = {name.strip(): None for name in names}
    return [name for name in seen if name and name.isprintable() and "," not in name]


def _lists(locale: str) -> tuple[list[str], list[str], list[str]]:
    """Female given, male given and family names of one locale."""
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    return (
        _clean(provider.first_names_female),
        _clean(provider.first_names_male),
        _clean(provider.last_names),
    )


def check_locales(locales: tuple[str, ...] | None) -> None:
    """Raises ValueError unless these are some of `LOCALES` (None is all)."""
    known = dict(LOCALES)
    if locales is not None and not (locales and set(locales) <= set(known)):
        raise ValueError(f"naming locales must be among {', '.join(known)}")


@cache
def name_book(locales: tuple[str, ...] | None = None) -> NameBook:
    """The names of some of `LOCALES` (all by default), their shares scaled to make a whole."""
    check_locales(locales)
    shares = dict(LOCALES)
    chosen = tuple(shares) if locales is None else locales
    given: list[str] = []
    family: list[str] = []
    starts: list[tuple[int, int, int]] = []
    counts: list[tuple[int, int, int]] = []
    for locale in chosen:
        female, male, last = _lists(locale)
        starts.append((len(given), len(given) + len(female), len(family)))
        counts.append((len(female), len(male), len(last)))
        given += female + male
        family += last
    awkward_given, awkward_family = len(given), len(family)
    given += AWKWARD_GIVEN
    family += AWKWARD_FAMILY
    weights = np.array([shares[locale] for locale in chosen])
    start, count = np.array(starts, dtype=np.int64), np.array(counts, dtype=np.int64)

    def cells(values: Iterable[str]) -> pa.LargeStringArray:
        return pa.array(list(values), pa.large_string())

    return NameBook(
        given=cells(given),
        family=cells(family),
        given_login=cells(login_form(name) or "x" for name in given),
        family_login=cells(login_form(name) or "x" for name in family),
        initial_login=cells((login_form(name) or "x")[0] for name in given),
        shares=np.cumsum(weights / weights.sum()),
        two_surnames=np.array([locale in TWO_SURNAMES for locale in chosen]),
        given_start=start[:, :2],
        given_count=count[:, :2],
        family_start=start[:, 2],
        family_count=count[:, 2],
        awkward_given=awkward_given,
        awkward_family=awkward_family,
    )
