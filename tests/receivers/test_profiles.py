"""What shipped profiles name is there: entities, columns, roles, variants."""

import pytest

from roster_pipeline.oneroster.entities import names
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.versions import WORDS_1P1
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.profiles import OneRosterFormat, Profile
from roster_pipeline.receivers.staying import roles_spoken

LOADED = [
    profiles.load(name, variant)
    for name in profiles.names()
    for variant in (None, *profiles.load(name).variants)
]
PACKAGES = [profile.oneroster for profile in LOADED if profile.oneroster is not None]


@pytest.mark.parametrize("form", PACKAGES)
def test_a_format_names_files_and_columns_of_its_version(form: OneRosterFormat) -> None:
    files = tables(Version(form.version))
    columns = {entity: {column.name for column in table} for entity, table in files.items()}
    assert set(form.files or files) <= files.keys()
    for entity, blank in form.blank.items():
        assert set(blank) <= columns[entity]
    for entity, spelt in form.spelling.items():
        own = {name for name in spelt if not name.startswith(METADATA)}
        assert own <= columns[entity]
        assert len(set(spelt.values())) == len(spelt)
    for place in form.words:
        entity, _, column = place.partition(".")
        assert column in names(entity)


@pytest.mark.parametrize("form", PACKAGES)
def test_a_receiver_of_1p1_gets_words_that_1p1_has(form: OneRosterFormat) -> None:
    spoken = roles_spoken(form)
    if form.version == "1.1":
        assert spoken
        assert set(spoken.values()) <= set(WORDS_1P1.values())
        assert set(form.people.precedence) <= set(WORDS_1P1.values())
        assert set(spoken) <= {*WORDS_1P1, "counselor"}


@pytest.mark.parametrize("profile", LOADED, ids=lambda profile: profile.title)
def test_a_check_looks_at_cells_that_there_are(profile: Profile) -> None:
    for check in profile.checks:
        cells = [name for name in check.columns if not name.startswith(METADATA)]
        assert (check.entity is not None) == bool(check.columns or check.most is not None)
        assert set(cells) <= set(names(check.entity or "users"))
        assert not check.says.endswith(".")


def test_each_variant_has_a_title_of_its_own_and_says_something_else() -> None:
    for name in profiles.names():
        profile = profiles.load(name)
        said = [profile, *(profiles.load(name, variant) for variant in profile.variants)]
        assert len({one.title for one in said}) == len(said)
        told = [one.model_copy(update={"title": "", "variants": {}}) for one in said]
        assert all(one != other for n, one in enumerate(told) for other in told[:n])


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        profiles.load("naviance")
    with pytest.raises(KeyError):
        profiles.load("lingco", "naviance")
