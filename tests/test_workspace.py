import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel

from roster_pipeline.accounts import config as accounts
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import LENIENT, STRICT
from roster_pipeline.quality.rules import RULES
from roster_pipeline.receivers import config as receivers
from roster_pipeline.sources import config as sources
from roster_pipeline.workspace import (
    District,
    Product,
    Settings,
    Workspace,
    WorkspaceError,
    json_schemas,
    locate,
    open_catalogue,
    schema_line,
)
from roster_pipeline.workspace import settings as workspace_settings
from roster_pipeline.workspace.reading import stamps

ROSTER = "partitions: {start: 2026-08-01}\n"
SOURCE = """\
id: springfield
name: Springfield
timezone: America/Chicago
transport:
  sftp:
    host: sftp.example.org
    username: roster
    password: {env: SPRINGFIELD}
    known_hosts: known_hosts
"""
DESTINATION = """\
id: reader
transport:
  sftp: {host: in.example.org, username: us, private_key: {file: key}, known_hosts: known_hosts}
path: /in/{source}.zip
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one source and one destination."""
    write(tmp_path, "roster.yaml", ROSTER)
    write(tmp_path, "sources/springfield.yaml", SOURCE)
    write(tmp_path, "destinations/reader.yaml", DESTINATION)
    return tmp_path


def write(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def problems(folder: Path) -> list[str]:
    with pytest.raises(WorkspaceError) as error:
        Workspace.load(folder)
    return [str(problem) for problem in error.value.problems]


def test_a_workspace_is_read(folder: Path) -> None:
    workspace = Workspace.load(folder)

    assert workspace.source("springfield").name == "Springfield"
    assert [d.id for d in workspace.destinations_of("springfield")] == ["reader"]


def test_an_unknown_source_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(WorkspaceError, match="'shelbyville'; there are: springfield"):
        Workspace.load(folder).source("shelbyville")


def test_a_folder_without_roster_yaml_says_what_to_do(tmp_path: Path) -> None:
    assert "make a workspace with `roster init`" in problems(tmp_path)[0]


def test_every_mistake_in_every_file_is_said_at_once_with_its_place(folder: Path) -> None:
    write(folder, "roster.yaml", ROSTER + "ledgr: x\nstrict: maybe\n")
    write(folder, "sources/springfield.yaml", SOURCE + "at: 12:30\nfoldr: x\n")
    write(folder, "sources/other.yaml", SOURCE.replace("Springfield", "010"))
    write(folder, "destinations/reader.yaml", "id: reader\n\tpath: x\n")

    found = problems(folder)

    assert [line.partition(": ")[0] for line in found] == [
        "destinations/reader.yaml:2:1",
        "roster.yaml:2:1",
        "roster.yaml:3:9",
        "sources/other.yaml:2:7",
        "sources/springfield.yaml:10:5",
        "sources/springfield.yaml:11:1",
    ]
    assert "did you mean `ledger`?" in found[1]
    assert "did you mean `folder`?" in found[5]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("name: 010", "`name`: text is needed here, and YAML reads a number; write it in quotes"),
        ("name: NO", "YAML reads true or false; write it in quotes"),
        ("name: 2026-08-01", "YAML reads a date; write it in quotes"),
        ("name:", "YAML reads nothing"),
        ("name: [a]", "YAML reads a list"),
        (
            "scope: {schools: [007]}",
            "`scope.schools`: text is needed here, and YAML reads a number",
        ),
        ("scope: all", "`scope`: a block of keys is needed here"),
        ("scope: {schools: s1}", "`scope.schools`: a list is needed here"),
        ("complete: {quiet: 5}", "`complete.quiet`; did you mean `quiet_seconds`?"),
        (
            "guards: {removed: {percent: 200}}",
            "`guards.removed.percent`: should be less than or equal",
        ),
        ("at: 02:99", '`at`: say a time of day as "HH:MM"'),
        ("at: '02:30'\nat: '03:30'", "`at` is given twice; the first is in line 10"),
        ("at: !!python/object:os.system x", "this is not YAML"),
        ("at: 2026-13-45", "looks like a date or a number and is none"),
        ("at: !!timestamp x", "write it in quotes, without a tag"),
        ("at: !!int x", "write it in quotes, without a tag"),
        ("at: !!bool x", "write it in quotes, without a tag"),
        ("---\nid: b", "this is not YAML"),
    ],
)
def test_what_yaml_makes_of_a_value_is_explained(folder: Path, line: str, sentence: str) -> None:
    key = line.partition(":")[0]
    kept = [text for text in SOURCE.splitlines() if not text.startswith(f"{key}:")]
    write(folder, "sources/springfield.yaml", "\n".join([*kept, line]) + "\n")

    assert any(sentence in problem for problem in problems(folder))


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(folder: Path) -> None:
    write(
        folder, "sources/springfield.yaml", SOURCE.replace("name: S", "name: \xc9").encode("cp1252")
    )

    assert problems(folder)[0].startswith("sources/springfield.yaml:2:1: this is not UTF-8")


def test_a_secret_typed_into_a_file_is_not_repeated(folder: Path) -> None:
    write(folder, "sources/springfield.yaml", SOURCE.replace("{env: SPRINGFIELD}", "hunter2"))
    write(folder, "roster.yaml", ROSTER + "ledger: postgresql://me:hunter2@db/roster\n")

    said = "\n".join(problems(folder))

    assert "hunter2" not in said
    assert "roster.yaml:2:9: `ledger`: an address with a password does not belong here" in said
    assert "sources/springfield.yaml:8:15: `transport.sftp.password`: write where" in said


PRODUCT = """\
id: maths
name: Maths Path
sources: [springfield]
courses:
  catalogue: catalogues/maths.csv
  rules:
    - {title: lunch, ignore: true}
    - {title: algebra, course: alg-1}
"""
CATALOGUE = "id,title\nalg-1,Algebra 1\n"


def maths(folder: Path, catalogue: str | bytes = CATALOGUE, product: str = PRODUCT) -> Product:
    write(folder, "products/maths.yaml", product)
    write(folder, "catalogues/maths.csv", catalogue)
    return Workspace.load(folder).product("maths")


BOMB = "a: &a [x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join(9 * [f'*{before}'])}]\n"
    for before, after in pairwise("abcdefghi")
)
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{after}: &{after} {{<<: [{', '.join(9 * [f'*{before}'])}]}}\n"
    for before, after in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "sources/springfield.yaml:6:20: the aliases (`*name`) up to here stand for more"),
        (MERGED, "sources/springfield.yaml:6:25: the aliases (`*name`) up to here stand for more"),
        ("a: " + "[" * 200_000, "sources/springfield.yaml:1:53: more than 50 blocks or lists"),
        ("- " * 60 + "x", "sources/springfield.yaml:1:101: more than 50 blocks or lists"),
    ],
)
def test_a_file_that_would_never_end_is_refused_at_its_place(
    folder: Path, text: str, sentence: str
) -> None:
    write(folder, "sources/springfield.yaml", text)
    (said,) = problems(folder)
    assert said.startswith(sentence)
    assert Workspace.load(folder, leave_out=True).sources == {}


def test_an_alias_is_taken_where_it_stands_for_little(folder: Path) -> None:
    text = SOURCE + "scope: {schools: &ids [s1, s2]}\nlookups: {}\npattern: '*.zip'\n"
    write(folder, "sources/springfield.yaml", text)
    assert Workspace.load(folder).source("springfield").pattern == "*.zip"


@pytest.mark.parametrize(
    ("key", "what"),
    [("7", "a number"), ("yes", "true or false"), ("~", "nothing"), ("2026-08-01", "a date")],
)
def test_a_key_that_yaml_takes_for_no_text_is_said_at_its_place(
    folder: Path, key: str, what: str
) -> None:
    write(folder, "sources/springfield.yaml", f"{SOURCE}{key}: x\n")
    assert problems(folder) == [
        f"sources/springfield.yaml:10:1: a key is text, and YAML reads this one as {what}; "
        "write it in quotes"
    ]


def test_a_file_whose_name_can_be_no_id_is_to_be_renamed_and_is_not_used(folder: Path) -> None:
    write(folder, "sources/Shelby ville\n.yaml", SOURCE.replace("id: springfield", "id: shelby"))
    assert problems(folder) == [
        "sources/Shelby ville?.yaml:1:5: no id can be what this file is called; call it "
        "shelby.yaml, as its `id` is"
    ]
    assert list(Workspace.load(folder, leave_out=True).sources) == ["springfield"]


def test_a_folder_that_may_not_be_looked_into_is_a_problem_and_not_a_crash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "sources":
            raise PermissionError(13, "Permission denied")
        return usual(path)

    write(folder, "destinations/reader.yaml", DESTINATION + "sources: [springfield]\n")
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert problems(folder) == ["sources: it cannot be looked into: Permission denied"]
    assert list(stamps(folder)) == [folder / "roster.yaml", folder / "destinations/reader.yaml"]


def test_roster_yaml_under_another_name_is_pointed_at(folder: Path) -> None:
    (folder / "roster.yaml").rename(folder / "Roster.yml")
    (said,) = problems(folder)
    assert "call Roster.yml roster.yaml, or make a workspace with `roster init`" in said


def test_a_product_is_read_with_the_sources_that_use_it(folder: Path) -> None:
    product = maths(folder)
    write(folder, "sources/shelbyville.yaml", SOURCE.replace("id: springfield", "id: shelbyville"))
    workspace = Workspace.load(folder)

    assert product.name == "Maths Path"
    assert [p.id for p in workspace.products_of("springfield")] == ["maths"]
    assert workspace.products_of("shelbyville") == ()
    with pytest.raises(WorkspaceError, match="'reading'; there are: maths"):
        workspace.product("reading")


ACCOUNTS = """\
accounts:
  roles: {student: learner}
  scim: {base_url: "https://app.example/scim", auth: {bearer: {token: {env: SCIM_TOKEN}}}}
"""


def test_two_products_with_the_accounts_of_one_provider_are_refused(folder: Path) -> None:
    for name in ("maths", "reading"):
        write(folder, f"products/{name}.yaml", f"id: {name}\nname: {name}\n{ACCOUNTS}")

    assert problems(folder) == [
        "products/reading.yaml:4:3: `accounts.scim.base_url`: product maths keeps its accounts "
        "there too"
    ]


def test_a_product_of_an_unknown_source_is_refused(folder: Path) -> None:
    write(folder, "products/maths.yaml", PRODUCT.replace("springfield", "shelbyville"))

    assert problems(folder) == [
        "products/maths.yaml:3:10: `sources`: no source is called 'shelbyville'; "
        "there are: springfield"
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("sources: [springfield]", "sources: springfield", "say `all`, or a list such as"),
        ("sources: [springfield]", "sources: []", "the list is empty"),
        ("title: lunch, ", "", "a rule needs a condition: title, code,"),
        ("ignore: true", "ignore: false", "a rule says either `course`"),
        ("ignore: true", "ignore: true, course: x", "a rule says either `course`"),
        ("title: lunch", "titel: lunch", "`courses.rules.titel`; did you mean `title`?"),
        ("title: lunch", 'title: "lunch("', "this is not a regular expression: missing )"),
        ("title: lunch", "grades: [10]", "`courses.rules.grades`: text is needed here"),
        ("catalogue: ", "suggest_from: 0\n  catalogue: ", "greater than or equal to 1"),
        ("catalogue: ", "exact: [title]\n  catalogue: ", "'course_codes' or 'subject_codes'"),
        (
            "catalogue: ",
            "exact: [subject_codes, subject_codes]\n  catalogue: ",
            "a kind of code is named twice",
        ),
        ("catalogue: ", "catalog: ", "`courses.catalog`; did you mean `catalogue`?"),
    ],
)
def test_what_a_product_may_not_say_is_refused_with_its_place(
    folder: Path, old: str, new: str, sentence: str
) -> None:
    write(folder, "products/maths.yaml", PRODUCT.replace(old, new))

    said = problems(folder)

    assert any(sentence in problem for problem in said)
    assert all(problem.startswith("products/maths.yaml:") for problem in said)


def test_a_catalogue_is_found_beside_the_files_that_name_it(folder: Path) -> None:
    catalogue = open_catalogue(folder, maths(folder))

    assert catalogue.titles == {"alg-1": "Algebra 1"}


def test_a_catalogue_s_faults_are_said_with_file_and_line(folder: Path) -> None:
    product = maths(folder, "id,title\nalg-1,Algebra 1\nalg-1,Algebra\n")

    with pytest.raises(WorkspaceError) as error:
        open_catalogue(folder, product)
    assert str(error.value) == (
        "catalogues/maths.csv:3: `id`: a line above has the same id. "
        "Remove one of the lines, or give it an id of its own."
    )


def test_a_rule_for_a_course_that_no_catalogue_has_is_said_with_its_line(folder: Path) -> None:
    product = maths(folder, "id,title\nalg-2,Algebra 2\n")

    with pytest.raises(WorkspaceError) as error:
        open_catalogue(folder, product)
    assert [str(problem) for problem in error.value.problems] == [
        "products/maths.yaml:8:32: `courses.rules.course`: catalogues/maths.csv has no course of "
        "this id"
    ]


def test_a_missing_catalogue_stops_nobody_who_does_not_need_it(folder: Path) -> None:
    product = maths(folder)
    (folder / "catalogues" / "maths.csv").unlink()

    assert Workspace.load(folder).product("maths") == product
    with pytest.raises(WorkspaceError, match=r"catalogues/maths.csv: .*No such file"):
        open_catalogue(folder, product)


def as_yaml(path: str) -> str:
    steps = path.split(".")
    return "".join(f"{'  ' * n}{step}:\n" for n, step in enumerate(steps[:-1])) + (
        f"{'  ' * (len(steps) - 1)}{steps[-1]}: [1, 2]\n"
    )


PLANNED = [
    *((path, "roster.yaml") for path in workspace_settings.LATER),
    *((path, "sources/springfield.yaml") for path in sources.LATER),
    *((path, "products/maths.yaml") for path in accounts.LATER),
    *((path, "destinations/reader.yaml") for path in receivers.LATER),
]


@pytest.mark.parametrize(("path", "file"), PLANNED)
def test_a_key_of_a_later_version_is_refused_with_a_sentence(
    folder: Path, path: str, file: str
) -> None:
    text = {
        "roster.yaml": ROSTER,
        "sources/springfield.yaml": SOURCE,
        "products/maths.yaml": PRODUCT,
        "destinations/reader.yaml": DESTINATION,
    }[file]
    first = path.partition(".")[0]
    kept = [] if f"{first}:" in text else text.splitlines(keepends=True)
    write(folder, file, "".join(kept) + as_yaml(path))

    [said] = [p for p in problems(folder) if "comes later" in p]

    assert f"`{path}` comes later (" in said
    assert said.endswith("); remove it")


def test_an_id_is_the_name_of_its_file(folder: Path) -> None:
    write(folder, "sources/shelbyville.yaml", SOURCE)

    assert problems(folder) == [
        "sources/shelbyville.yaml:1:5: `id` must be shelbyville, as the file is called"
    ]


def test_two_files_for_one_id_are_refused(folder: Path) -> None:
    write(folder, "sources/springfield.yml", SOURCE)

    assert "there are two files for springfield" in problems(folder)[0]


def test_a_destination_of_an_unknown_source_is_refused(folder: Path) -> None:
    write(folder, "destinations/reader.yaml", DESTINATION + "sources: [shelbyville]\n")

    assert problems(folder) == [
        "destinations/reader.yaml:5:10: `sources`: no source is called 'shelbyville'; "
        "there are: springfield"
    ]


def test_a_destination_of_a_broken_source_is_not_blamed(folder: Path) -> None:
    write(folder, "sources/springfield.yaml", "id: springfield\n\t")
    write(folder, "destinations/reader.yaml", DESTINATION + "sources: [springfield]\n")

    assert [p.partition(":")[0] for p in problems(folder)] == ["sources/springfield.yaml"]


@pytest.mark.parametrize(
    "second",
    [
        DESTINATION.replace("id: reader", "id: writer"),
        DESTINATION.replace("id: reader", "id: writer").replace("in.example", "IN.example"),
        DESTINATION.replace("id: reader", "id: writer").replace("{source}", "springfield")
        + "sources: [springfield]\n",
        DESTINATION.replace("id: reader", "id: writer").replace("/in/", "/in//./"),
    ],
)
def test_two_destinations_may_not_write_to_the_same_path(folder: Path, second: str) -> None:
    write(folder, "destinations/writer.yaml", second)

    [said] = problems(folder)
    assert said.startswith("destinations/writer.yaml:4:7: `path`: destination reader writes to")


def test_two_destinations_may_write_beside_each_other(folder: Path) -> None:
    write(
        folder,
        "destinations/writer.yaml",
        DESTINATION.replace("id: reader", "id: writer").replace("/in/", "/other/"),
    )

    assert len(Workspace.load(folder).destinations) == 2


TABLES = "id: {}\ntables:\n  url: {{env: WAREHOUSE_URL}}\n"


def test_two_destinations_may_not_fill_the_same_tables(folder: Path) -> None:
    write(folder, "destinations/lake.yaml", TABLES.format("lake"))
    write(folder, "destinations/warehouse.yaml", TABLES.format("warehouse"))

    assert problems(folder) == [
        "destinations/warehouse.yaml:3:3: `tables`: destination lake writes rows of the same "
        "source to the same database and schema; one would overwrite the other"
    ]


def test_two_destinations_may_fill_the_same_tables_with_districts_of_their_own(
    folder: Path,
) -> None:
    for name in ("lake", "warehouse"):
        text = TABLES.format(name) + f"sources: [{name}]\nscope: {{roles: [student]}}\n"
        write(folder, f"destinations/{name}.yaml", text)
        write(folder, f"sources/{name}.yaml", SOURCE.replace("springfield", name))

    assert len(Workspace.load(folder).destinations) == 3


def test_two_destinations_may_share_a_database(folder: Path) -> None:
    write(folder, "destinations/lake.yaml", TABLES.format("lake"))
    write(folder, "destinations/warehouse.yaml", TABLES.format("warehouse") + "  schema: k12\n")

    assert len(Workspace.load(folder).destinations) == 3


def test_a_destination_that_says_neither_packages_nor_tables_is_told_both(folder: Path) -> None:
    write(folder, "destinations/reader.yaml", "id: reader\n")

    assert problems(folder) == [
        "destinations/reader.yaml:1:1: say `transport` and `path`, or `tables`"
    ]


def test_storage_and_ledger_lie_in_the_folder_unless_said_otherwise(folder: Path) -> None:
    workspace = Workspace.load(folder)

    assert workspace.storage_url == str(folder / "store")
    assert workspace.ledger_url({}) == f"sqlite:///{folder}/ledger.sqlite"


def test_storage_and_ledger_may_be_elsewhere(folder: Path) -> None:
    write(folder, "roster.yaml", ROSTER + "storage: s3://rosters/here\nledger: {env: LEDGER}\n")
    workspace = Workspace.load(folder)
    url = "postgresql+psycopg2://us:secret@db/roster"

    assert workspace.storage_url == "s3://rosters/here"
    assert workspace.ledger_url({"LEDGER": url}) == url
    with pytest.raises(WorkspaceError, match="LEDGER is not set"):
        workspace.ledger_url({})
    with pytest.raises(WorkspaceError, match="lives in sqlite") as error:
        workspace.ledger_url({"LEDGER": "mysql://us:hunter2@db"})
    assert "hunter2" not in str(error.value)


def test_limits_and_strictness_of_a_source_overlay_those_of_the_workspace(folder: Path) -> None:
    write(
        folder, "roster.yaml", ROSTER + "strict: true\nguards: {removed: {percent: 8, floor: 2}}\n"
    )
    assert Workspace.load(folder).policy_for("springfield") is STRICT

    write(
        folder,
        "sources/springfield.yaml",
        SOURCE + "strict: false\nguards: {removed: {percent: 20}}\n",
    )
    workspace = Workspace.load(folder)

    assert workspace.policy_for("springfield") is LENIENT
    assert workspace.guards_for("springfield", date(2026, 9, 14)).removed.percent == 20
    assert workspace.guards_for("springfield", date(2026, 9, 14)).removed.floor == 2


def test_the_windows_of_a_source_come_after_those_of_the_workspace(folder: Path) -> None:
    def window(name: str, percent: int) -> str:
        return (
            f"calendar: {{windows: [{{name: {name}, kind: rollover, from: 2026-07-01,"
            f" to: 2026-08-31, guards: {{removed: {{percent: {percent}}}}}}}]}}\n"
        )

    write(folder, "roster.yaml", ROSTER + window("Everybody", 40))
    write(folder, "sources/springfield.yaml", SOURCE + window("Springfield", 60))
    workspace = Workspace.load(folder)

    summer, autumn = date(2026, 8, 31), date(2026, 9, 1)
    assert [w.name for w in workspace.windows_of("springfield", summer)] == [
        "Everybody",
        "Springfield",
    ]
    assert workspace.guards_for("springfield", summer).removed.percent == 60
    assert workspace.guards_for("springfield", autumn).removed.percent == 10


def test_severities_of_a_source_overlay_those_of_the_workspace(folder: Path) -> None:
    write(
        folder,
        "roster.yaml",
        ROSTER + "severities: {reference.kind: stop, cell.date: drop}\n",
    )
    write(folder, "sources/springfield.yaml", SOURCE + "severities:\n  cell.date: hold\n")
    policy = Workspace.load(folder).policy_for("springfield", strict=True)

    assert policy.profile is STRICT.profile
    assert policy.severities == {"reference.kind": Severity.STOP, "cell.date": Severity.HOLD}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("cell.requird: stop", "no rule is called `cell.requird`; did you mean `cell.required`?"),
        ("zzz: stop", "no rule is called `zzz`; docs/rules.md has all of them"),
        ("cell.required: warn", "this rule cannot be `warn`; it can be stop or hold"),
        ("cell.date: warn", "this rule cannot be `warn`; it can be stop, hold or drop"),
        ("cell.date: fatal", "say one of stop, hold or drop"),
        ("cell.date: [stop]", "text is needed here, and YAML reads a list"),
    ],
)
@pytest.mark.parametrize("file", ["roster.yaml", "sources/springfield.yaml"])
def test_a_severity_that_a_rule_cannot_have_is_refused_at_its_place(
    folder: Path, file: str, line: str, sentence: str
) -> None:
    text = {"roster.yaml": ROSTER, "sources/springfield.yaml": SOURCE}[file]
    text = text.rstrip("\n") + f"\nseverities:\n  reference.kind: stop\n  {line}\n"
    write(folder, file, text)

    [problem] = problems(folder)

    assert problem.startswith(f"{file}:{len(text.splitlines())}:")
    assert problem.endswith(f"`severities.{line.partition(':')[0]}`: {sentence}")


def test_editors_are_told_the_rules_and_what_each_can_be() -> None:
    for kind in ("roster", "source"):
        severities = json_schemas()[kind]["properties"]["severities"]
        assert severities["additionalProperties"] is False
        assert severities["properties"]["cell.required"]["enum"] == ["stop", "hold"]
        assert severities["properties"].keys() == RULES.keys()


def test_a_source_may_say_when_its_held_rows_become_urgent(folder: Path) -> None:
    assert Workspace.load(folder).escalate_after("springfield") == 7
    write(folder, "roster.yaml", ROSTER + "held_rows: {escalate_after: 3}\n")
    assert Workspace.load(folder).escalate_after("springfield") == 3
    write(folder, "sources/springfield.yaml", SOURCE + "held_rows: {escalate_after: 14}\n")
    assert Workspace.load(folder).escalate_after("springfield") == 14


def test_a_workspace_without_severities_loads_no_heavy_library(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from roster_pipeline.workspace import Workspace\n"
        f"Workspace.load(Path({str(folder)!r}))\n"
        "print([name for name in ('pandas', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_folder_is_found(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("repository")
    assert locate({}, root) == root

    write(root, "examples/demo/roster.yaml", ROSTER)
    assert locate({}, root) == root / "examples" / "demo"
    assert locate({}, folder) == folder
    assert locate({"ROSTER_WORKSPACE": "examples"}, root) == root / "examples"
    assert locate({"ROSTER_WORKSPACE": str(folder)}, root) == folder


def test_editors_get_a_schema_for_each_kind_of_file() -> None:
    schemas = json_schemas()

    assert set(schemas) == {"roster", "source", "product", "destination"}
    assert "guards" in schemas["source"]["properties"]
    assert set(schemas["roster"]["required"]) == {"partitions"}
    line = schema_line("source", "../.schemas")
    assert line == "# yaml-language-server: $schema=../.schemas/source.json"


def test_an_empty_roster_yaml_says_what_is_missing(folder: Path) -> None:
    write(folder, "roster.yaml", "")

    assert problems(folder) == ["roster.yaml:1:1: `partitions` is missing"]


def test_an_anchor_that_points_at_itself_is_no_trap(folder: Path) -> None:
    write(folder, "roster.yaml", ROSTER + "guards: &again {removed: *again}\n")

    assert problems(folder)


SHOWN_TO_ACT = {
    District: {
        "id": "test_an_id_is_the_name_of_its_file",
        "name": "test_a_workspace_is_read",
        "vendor": "test_a_vendors_defaults_hold_where_a_source_does_not_say",
        "transport": "test_a_workspace_is_read",
        "rest": "test_a_roster_is_pulled_from_a_server",
        "folder": "test_the_folder_and_the_pattern_say_where_to_look",
        "pattern": "test_the_folder_and_the_pattern_say_where_to_look",
        "timezone": "test_a_drop_belongs_to_the_day_it_arrived_on_in_the_district",
        "cadence": "test_a_weekly_source_runs_on_its_weekday_only",
        "weekday": "test_a_weekly_source_runs_on_its_weekday_only",
        "at": "test_cadence_and_time_say_when_a_source_runs",
        "date_from": "test_a_drop_dated_by_its_name_is_for_that_date_whenever_it_arrived",
        "complete": "test_a_quiet_time_is_waited_for",
        "roles": "test_roles_override_the_usual_translation_type_by_type",
        "mapping": "test_a_district_of_each_format_is_held_once_and_then_goes_on_by_itself",
        "lookups": "test_a_districts_words_become_the_standards_whatever_their_case_and_blanks",
        "repairs": "test_dates_are_brought_to_the_standards_form_and_moments_are_left_alone",
        "end_dates": "test_the_end_is_the_day_after_a_last_day_wherever_the_standard_excludes_it",
        "scope": "test_of_one_school_come_its_classes_and_people_and_what_these_need",
        "expect": "test_a_size_that_is_not_expected_holds",
        "severities": "test_severities_of_a_source_overlay_those_of_the_workspace",
        "held_rows": "test_a_source_may_say_when_its_held_rows_become_urgent",
        "strict": "test_limits_and_strictness_of_a_source_overlay_those_of_the_workspace",
        "calendar": "test_in_a_blackout_nothing_flows_and_the_day_after_everything",
        "files": "test_loose_files_are_synced_as_a_zip_is",
        "encryption": "test_keys_come_from_where_the_source_says",
        "archive": "test_a_drop_goes_when_its_roster_is_accepted_and_none_is_missed",
        "delete": "test_a_drop_goes_when_its_roster_is_approved_and_not_while_it_is_held",
        "header_only": "test_a_file_without_rows_may_be_told_to_mean_nothing",
        "guards": "test_limits_and_strictness_of_a_source_overlay_those_of_the_workspace",
    },
    Product: {
        "id": "test_an_id_is_the_name_of_its_file",
        "name": "test_a_product_is_read_with_the_sources_that_use_it",
        "sources": "test_a_product_is_read_with_the_sources_that_use_it",
        "courses": "test_a_catalogue_is_found_beside_the_files_that_name_it",
        "accounts": "test_every_default_is_the_careful_one",
    },
    receivers.Destination: {
        "id": "test_an_id_is_the_name_of_its_file",
        "profile": "test_what_a_destination_may_not_say_is_refused_with_a_sentence",
        "variant": "test_a_variant_is_one_of_its_profile",
        "columns": "test_a_destination_says_its_own_columns_with_the_profile_csv_alone",
        "sources": "test_a_destination_takes_every_source_unless_it_names_some",
        "scope": "test_one_school_goes_out_whole_and_what_stays_is_counted",
        "mask": "test_a_mask_is_applied_on_the_way_out_and_counts_the_rows_that_it_drops",
        "mask_key": "test_a_key_of_a_mask_is_read_where_it_is_kept_and_is_not_short",
        "transport": "test_a_workspace_is_read",
        "path": "test_each_source_has_its_own_path",
        "mode": "test_changes_go_out_by_syncs_and_deliveries_and_come_again_when_asked_for",
        "bulk_every": "test_a_doubt_sends_the_whole",
        "retention": "test_what_is_gone_is_told_again_for_the_time_of_retention",
        "schedule": "test_a_schedule_is_waited_for",
        "quiet_hours": "test_what_is_accepted_in_quiet_hours_waits_for_their_end",
        "on_hold": (
            "test_while_a_sync_is_held_a_receiver_that_wants_a_file_each_day_gets_the_last_one"
        ),
        "reports": "test_what_the_receiver_says_is_told_once_as_a_check_of_the_delivery",
        "system_name": "test_a_destination_names_the_sending_system",
        "system_code": "test_a_destination_names_the_sending_system",
        "tables": "test_what_is_accepted_is_in_the_tables_and_has_a_receipt",
    },
    Settings: {
        "storage": "test_storage_and_ledger_may_be_elsewhere",
        "ledger": "test_storage_and_ledger_may_be_elsewhere",
        "partitions": "test_the_first_date_is_a_date",
        "severities": "test_severities_of_a_source_overlay_those_of_the_workspace",
        "held_rows": "test_a_source_may_say_when_its_held_rows_become_urgent",
        "strict": "test_limits_and_strictness_of_a_source_overlay_those_of_the_workspace",
        "guards": "test_limits_and_strictness_of_a_source_overlay_those_of_the_workspace",
        "calendar": "test_the_windows_of_a_source_come_after_those_of_the_workspace",
    },
}


@pytest.mark.parametrize("model", SHOWN_TO_ACT)
def test_every_key_that_a_file_may_have_has_a_test_of_what_it_does(model: type[BaseModel]) -> None:
    shown = SHOWN_TO_ACT[model]
    here = Path(__file__).parent
    rooms = ("oneroster", "sources", "guards", "accounts", "receivers", "automation")
    files = [Path(__file__), *(f for room in rooms for f in (here / room).rglob("test_*.py"))]
    tests = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}

    assert shown.keys() == model.model_fields.keys()
    assert set(shown.values()) <= tests


def test_what_a_file_without_rows_means_is_said_of_entities_that_there_are(folder: Path) -> None:
    write(folder, "sources/springfield.yaml", SOURCE + "header_only: {pupils: keep}\n")
    assert "no entity is called pupils; the entities are orgs" in problems(folder)[0]


@pytest.mark.parametrize("start", ["2026-08-01", '"2026-08-01"'])
def test_the_first_date_is_a_date(folder: Path, start: str) -> None:
    write(folder, "roster.yaml", f"partitions: {{start: {start}}}\n")
    assert Workspace.load(folder).settings.partitions.start == date(2026, 8, 1)

    write(folder, "roster.yaml", "partitions: {start: 20260801}\n")
    assert "`partitions.start`: say a date" in problems(folder)[0]


SERVER = """id: x
name: X
timezone: America/Chicago
vendor: {vendor}
rest:
  base_url: {url}
  auth: {auth}
  {more}
"""


@pytest.mark.parametrize(
    ("keys", "sentences"),
    [
        (
            {"auth": "{oauth2: {client_id: us, client_secret: hunter2, token_ur: x}}"},
            [
                "sources/x.yaml:7:18: `rest.auth.oauth2`: `token_url` is missing",
                "sources/x.yaml:7:49: `rest.auth.oauth2.client_secret`: write where the secret is "
                "kept, {env: NAME} or {file: path}, never the secret itself",
                "sources/x.yaml:7:58: no key is called `rest.auth.oauth2.token_ur`; did you mean "
                "`token_url`?",
            ],
        ),
        (
            {"auth": "{oauth1: {consumer_key: 12, consumer_secret: {env: A}}}"},
            [
                "sources/x.yaml:7:33: `rest.auth.oauth1.consumer_key`: text is needed here, and "
                "YAML reads a number; write it in quotes"
            ],
        ),
        (
            {"url": "http://sis.example", "more": "paging: pages"},
            [
                "sources/x.yaml:6:13: `rest.base_url`: https:// is needed, or everything would "
                "travel readable for all",
                "sources/x.yaml:8:11: `rest.paging`: should be 'rows', 'next' or 'total'",
            ],
        ),
        (
            {"vendor": "infinite-campus", "url": "https://ic.example"},
            [
                "sources/x.yaml:6:3: `rest`: `app` is missing: the vendor's addresses have it in "
                "them"
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_server_is_said_at_its_place(
    folder: Path, keys: dict[str, str], sentences: list[str]
) -> None:
    usual = {
        "vendor": "generic-rest-1.2",
        "url": "https://sis.example/v1p2",
        "auth": "{bearer: {token: {env: A}}}",
        "more": "limit: 500",
    }
    write(folder, "sources/x.yaml", SERVER.format(**usual))
    assert Workspace.load(folder).source("x").rest is not None

    write(folder, "sources/x.yaml", SERVER.format(**{**usual, **keys}))
    assert [said for said in problems(folder) if said.startswith("sources/x")] == sentences
