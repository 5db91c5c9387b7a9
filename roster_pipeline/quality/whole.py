"""Rules over many rows of a finished roster: keys that collide, and what rows mean together.

Such a rule names what it looks at; it is given whole columns as arrays, and only those.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date

from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import Policy


def judge_whole(
    roster: Roster,
    own: Mapping[str, int],
    file: Callable[[str], str],
    *,
    version: Version,
    policy: Policy,
    today: date | None,
    unread: Collection[str] = (),
) -> Findings:
    """What is wrong with the rows of a roster taken together.

    Only the first `own` rows of each entity came with the package; the rest stand in from the
    last accepted roster, and are looked at, and not judged. `file` names the member that holds an
    entity. `unread` are entities of which rows are missing as their file could not be read to its
    end: rules that look at them are left out.
    """
    return Findings()
