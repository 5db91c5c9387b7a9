import pytest
from rich.console import Console

from roster_pipeline.receivers import profiles
from roster_pipeline.reports.receivers import receivers_text
from roster_pipeline.reports.tables import text_table


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_table_that_is_too_wide_for_a_terminal_loses_nothing(width: int) -> None:
    console = Console(width=width, color_system=None)
    row = ("error", "users " + "x" * 36, "users.csv:7", 1234567, "", "Not of a known domain")
    with console.capture() as shown:
        console.print(text_table(("", "row", "from", "bytes", "code", "message"), [row]))
    assert "…" not in shown.get()
    signs = "".join(shown.get().split())
    assert signs.count("x") == 36
    assert "1,234,567" in signs
    assert "domain" in signs


def test_each_receiver_can_be_typed_as_a_narrow_terminal_shows_it() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as shown:
        console.print(receivers_text({name: profiles.load(name) for name in profiles.names()}))
    words = shown.get().split()
    assert set(profiles.names()) <= set(words)
