"""What a package of the whole roster cannot say: that nothing is left of an entity.

OneRoster allows no file without rows, and of a file that is declared absent nothing is said (CSV
Binding 1.2, manifest). What a receiver had of it, it may keep.
"""

from collections.abc import Mapping

from roster_pipeline.receivers.profiles import Profile


def emptied(had: Mapping[str, int], gets: Mapping[str, int], profile: Profile) -> tuple[str, ...]:
    """A sentence for each entity of which a receiver of OneRoster had rows and now gets none, by
    the rows of the last package and of this one."""
    if profile.oneroster is None:
        return ()
    ask = "ask it to remove them"
    if "delta" in profile.modes:
        ask += ", or send it changes with `mode: delta`"
    return tuple(
        f"it had {rows:,} rows of {entity} and gets none now. A whole roster cannot say that they "
        f"are gone, so it may keep them: {ask}."
        for entity, rows in had.items()
        if rows and not gets.get(entity)
    )
