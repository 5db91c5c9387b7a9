"""How grave single rules are for a workspace or a source: `severities:`, checked against the rules.

The rules come with heavy libraries, so they are imported only where a file says anything of them.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field, StrictStr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from roster_pipeline.oneroster.rules import Policy, Rule

_WORDS: Final = ("stop", "hold", "drop", "warn")


def policy(severities: Mapping[str, str], *, strict: bool) -> "Policy":
    """How grave findings are under a profile with these severities, which are checked already."""
    from roster_pipeline.oneroster.findings import Severity
    from roster_pipeline.oneroster.rules import LENIENT, STRICT, Policy

    profile = STRICT if strict else LENIENT
    if not severities:
        return profile
    chosen = {code: Severity(word) for code, word in severities.items()}
    return Policy(profile.profile, chosen)


def _checked(severities: dict[str, str]) -> dict[str, str]:
    problems = list(_problems(severities))
    if problems:
        # Raised so that each keeps its own place in the file.
        raise ValidationError.from_exception_data("severities", problems)
    return severities


def _problems(severities: Mapping[str, str]) -> Iterator[InitErrorDetails]:
    if not severities:
        return
    rules = _rules()
    for code, word in severities.items():
        said = _wrong(code, word, rules)
        if said is not None:
            error = PydanticCustomError("severity", "{said}", {"said": said})
            yield InitErrorDetails(type=error, loc=(code,), input=None)


def _wrong(code: str, word: str, rules: "Mapping[str, Rule]") -> str | None:
    rule = rules.get(code)
    if rule is None:
        near = get_close_matches(code, rules, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else "docs/rules.md has all of them"
        return f"no rule is called `{code}`; {hint}"
    able = _able(rule)
    if word in able:
        return None
    if word not in _WORDS:
        return f"say one of {_either(able)}"
    return f"this rule cannot be `{word}`; it can be {_either(able)}"


def _either(words: tuple[str, ...]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _able(rule: "Rule") -> tuple[str, ...]:
    """The severities that a rule can have, worst first."""
    able = {"stop", str(rule.severity), *map(str, rule.may_be)}
    return tuple(word for word in _WORDS if word in able)


def _rules() -> "Mapping[str, Rule]":
    from roster_pipeline.quality.rules import RULES

    return RULES


def _as_editors_see_it(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = False
    schema["properties"] = {
        code: {"enum": list(_able(rule)), "description": rule.message}
        for code, rule in _rules().items()
    }


Severities = Annotated[
    dict[str, StrictStr],
    AfterValidator(_checked),
    Field(json_schema_extra=_as_editors_see_it),
]
"""Rule code → stop, hold, drop or warn."""
