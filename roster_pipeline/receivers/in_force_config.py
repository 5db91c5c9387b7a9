"""What a format says of roles and enrollments that are over, or still to come.

without: {roles: [over, to_come], enrollments: [over]}
"""

from typing import Literal

from roster_pipeline.fields import Part

Time = Literal["over", "to_come"]
"""A row is over from its endDate on, and to come before its beginDate."""


class Without(Part):
    """By entity what stays at home. By default it is what the format has no date to tell of: `over`
    where no endDate goes out, `to_come` where no beginDate does."""

    roles: tuple[Time, ...] | None = None
    """Of a person all of whose roles would stay, those to come go, else those that are over."""
    enrollments: tuple[Time, ...] | None = None
