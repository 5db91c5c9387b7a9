"""What `lookups:`, `repairs:` and `end_dates:` of a source's file may say.

lookups:
  users.grades: {"Gr 9": "09", Kinder: KG}
  orgs.type: {Campus: school}
repairs:
  dates: [M/D/YYYY]
  blanks_in_ids: underscore
end_dates: inclusive
"""

from typing import Literal

from pydantic import Field, StrictInt

from roster_pipeline.fields import Part, Text

Lookups = dict[Text, dict[Text, str]]
"""`entity.column` → what a district writes → what the standard calls it. Blanks around a cell and
its case do not count; of a cell that is a list each item is looked up."""
EndDates = Literal["exclusive", "inclusive"]
"""Whether a last day is the first one that is over, as the standard has it, or the last that is
not, as many systems send it."""


class Repairs(Part):
    """Cells that are written in a way of the district's own. Each repaired cell is counted."""

    dates: tuple[Text, ...] = ()
    """How dates are written, in the letters Y, M and D, such as `M/D/YYYY`; tried in this order."""
    blanks_in_ids: Literal["keep", "underscore"] = "keep"
    """What becomes of blanks within sourcedIds and references to them."""
    pad: dict[Text, StrictInt] = Field(default_factory=dict)
    """`entity.column` → how many digits it has at least; zeros are put in front of fewer."""
