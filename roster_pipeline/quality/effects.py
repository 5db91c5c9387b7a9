"""What is done to the data about a rule that is broken."""

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Policy, Rule


def effect(rule: Rule, policy: Policy, default: Severity | None = None) -> Severity:
    """What a source wants done, as far as the rule may do it; else the default.

    A package that is stopped is judged on, to say all that is wrong with it; so its rows go the
    way that they go by default.
    """
    default = default or rule.severity
    chosen = policy.severity(rule, default)
    return chosen if chosen in rule.may_be else default
