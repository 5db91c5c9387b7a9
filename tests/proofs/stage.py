"""A workspace between two SFTP folders, used through the command only, that can be put back."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.store.ledger import Ledger
from tests.proofs.forking import Commands, Ended
from tests.proofs.provider import Provider

SOURCE = "springfield"
DESTINATION = "lms"
PASSWORD = "correct horse battery"
VARIABLE = "ROSTER_TEST_SFTP_PASSWORD"
PRODUCT = "reader"
TOKEN = "a-token-of-the-stage"
TOKEN_VARIABLE = "ROSTER_TEST_SCIM_TOKEN"

_SFTP = """\
transport:
  sftp:
    host: 127.0.0.1
    port: {port}
    username: roster
    password: {{env: {variable}}}
    fingerprint: "{fingerprint}"
    attempts: 2
"""
_SOURCE = """\
id: {source}
name: Springfield
timezone: UTC
folder: drops
date_from: {{name: "-(?P<date>[0-9]{{8}})[.]zip$"}}
complete: {{quiet_seconds: 0}}
"""
_DESTINATION = "id: {destination}\npath: /in/{{source}}.zip\n"
_PRODUCT = """\
id: {product}
name: Reader
sources: all
accounts:
  identity:
    user_name: "{{username}}@{{source}}.example.org"
  roles: {{teacher: teacher, student: learner}}
  fields: [givenName, familyName, role]
  scim:
    base_url: {url}
    auth: {{bearer: {{token: {{env: {variable}}}}}}}
    attempts: 2
"""


class Databases:
    """The PostgreSQL databases of a stage; the one in use always has the same name."""

    def __init__(self, server_url: str, name: str) -> None:
        self._server_url = server_url
        self._used = name
        self._saved: set[str] = set()
        self._run(f"CREATE DATABASE {self._used}")

    @property
    def url(self) -> str:
        """The address of the one in use."""
        url = sa.make_url(self._server_url).set(database=self._used)
        return url.render_as_string(hide_password=False)

    def url_at(self, port: int | None) -> str:
        """Its address through a port on loopback; its own address for None."""
        if port is None:
            return self.url
        url = sa.make_url(self.url)
        through = sa.URL.create(
            url.drivername,
            username=url.username,
            password=url.password,
            host="127.0.0.1",
            port=port,
            database=url.database,
        )
        return through.render_as_string(hide_password=False)

    def rows(self) -> dict[str, str]:
        """Every table's rows, as text."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            tables = [
                sa.table(name, schema=schema)
                for schema in ("public", "roster")
                for name in inspector.get_table_names(schema)
            ]
            row: sa.ColumnElement[str] = sa.literal_column("anon_1::text")
            return {
                table.fullname: str(
                    sorted(connection.scalars(sa.select(row).select_from(table.alias("anon_1"))))
                )
                for table in tables
            }

    def save(self, name: str) -> None:
        """Keep a copy under a name. Nobody may be connected."""
        copy = f"{self._used}_{name}"
        self._run(f"CREATE DATABASE {copy} TEMPLATE {self._used}")
        self._saved.add(copy)

    def put_back(self, name: str) -> None:
        """Make the one in use the copy of that name again."""
        self._run(f"DROP DATABASE {self._used} WITH (FORCE)")
        self._run(f"CREATE DATABASE {self._used} TEMPLATE {self._used}_{name}")

    def drop(self) -> None:
        """Remove all."""
        for name in (self._used, *self._saved):
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        engine = sa.create_engine(
            self._server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with engine.connect() as connection:
            connection.execute(sa.text(statement))


@dataclass
class Stage:
    """What a proof needs to hand. Paths and the server's port stay when it is put back."""

    root: Path
    commands: Commands
    server: SftpServer
    databases: Databases | None = None
    """None: everything on SQLite."""
    provider: Provider | None = None
    """None: no product has accounts."""
    postgres_port: int | None = None
    """Where on loopback the commands find the databases, if not where these are."""
    district: District = field(default_factory=lambda: District(students=300))
    """Its package is of more than one of the blocks that SFTP moves at a time."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    last_day: int = 1
    """The district's day that is today."""

    @property
    def workspace(self) -> Path:
        """The user's folder."""
        return self.root / "workspace"

    @property
    def drops(self) -> Path:
        """Where the district puts its exports."""
        return self.server.root / "drops"

    @property
    def delivered(self) -> Path:
        """What the destination has."""
        return self.server.root / "in" / f"{SOURCE}.zip"

    @property
    def scratch(self) -> Path:
        """The folder for temporary files of every command."""
        return self.root / "tmp"

    @property
    def environ(self) -> dict[str, str]:
        """What the commands find in their environment."""
        named = {VARIABLE: PASSWORD, TOKEN_VARIABLE: TOKEN}
        named |= {"TMPDIR": str(self.scratch), "COLUMNS": "400"}
        if self.databases is not None:
            named["ROSTER_POSTGRES_URL"] = self.databases.url_at(self.postgres_port)
        return named

    def roster(self, *words: str | Path, how: Mapping[str, Any] = {}, **environ: str) -> Ended:
        """Run a command on the workspace; `how` is as `Commands.run` says."""
        return self.commands.run(
            "roster", "-w", self.workspace, *words, environ={**self.environ, **environ}, **how
        )

    def materialize(self, asset: str, day: int) -> Ended:
        """`dagster asset materialize` for a day."""
        home = {"ROSTER_WORKSPACE": self.workspace, "DAGSTER_HOME": self.workspace / ".dagster"}
        return self.commands.run(
            *("dagster", "asset", "materialize", "-m", "roster_pipeline.definitions"),
            *("--select", asset, "--partition", f"{self.date_of(day)}|{SOURCE}"),
            environ={**self.environ, **{name: str(path) for name, path in home.items()}},
        )

    def date_of(self, day: int) -> date:
        """The date of one of the district's days."""
        return self.today + timedelta(days=day - self.last_day)

    def sync(
        self, day: int, *words: str | Path, how: Mapping[str, Any] = {}, **environ: str
    ) -> Ended:
        """`roster sync` for a day."""
        date = str(self.date_of(day))
        return self.roster("sync", SOURCE, "--date", date, *words, how=how, **environ)

    def make(self) -> None:
        """Make the workspace and the folders of the server."""
        for folder in (self.drops, self.delivered.parent, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        storage = "sqlite" if self.databases is None else "postgres"
        made = self.commands.run(
            "roster", "init", self.workspace, "--storage", storage, environ=self.environ
        )
        assert made.code == 0, made.err
        self.write_source()
        self.write(
            f"destinations/{DESTINATION}.yaml",
            _DESTINATION.format(destination=DESTINATION) + self.transport(),
        )
        if self.provider is not None:
            (self.workspace / "products").mkdir(exist_ok=True)
            text = _PRODUCT.format(product=PRODUCT, url=self.provider.url, variable=TOKEN_VARIABLE)
            self.write(f"products/{PRODUCT}.yaml", text)

    def write(self, name: str, text: str) -> None:
        """Write one of the workspace's files."""
        (self.workspace / name).write_text(text, encoding="utf-8")

    def write_source(self, *lines: str, **transport: Any) -> None:
        """Write the district's file."""
        text = _SOURCE.format(source=SOURCE) + "".join(lines) + self.transport(**transport)
        self.write(f"sources/{SOURCE}.yaml", text)

    def transport(self, **given: Any) -> str:
        """The YAML of the way to the server."""
        known = {
            "port": self.server.port,
            "fingerprint": self.server.fingerprint,
            "variable": VARIABLE,
        }
        return _SFTP.format(**{**known, **given})

    def drop_path(self, day: int) -> Path:
        """Where the export of a day lies."""
        return self.drops / f"export-{self.date_of(day):%Y%m%d}.zip"

    def drop(self, day: int, spoil: Callable[[Path], object] = lambda _: None) -> Path:
        """Put the export of a day on the server."""
        path = self.drop_path(day)
        hidden = path.with_name(f".{path.name}")
        self.district.write_package(hidden, day)
        spoil(hidden)
        return hidden.replace(path)

    def first_hold(self) -> str:
        """Have the roster of day 0 held; the hold's name."""
        held = self.sync(0, "--format", "json")
        assert held.code == 3, held.err + held.out
        return str(held.document()["hold"]["name"])

    def first_day(self) -> None:
        """Have the roster of day 0 held, approved and delivered."""
        self.approve(self.first_hold())

    def approve(self, hold: str) -> None:
        """Approve a hold and go on."""
        approved = self.roster("approve", hold, "--why", "as expected")
        assert approved.code == 0, approved.err + approved.out

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The workspace's ledger."""
        with Ledger.open(self.ledger_url) as ledger:
            yield ledger

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        if self.databases is None:
            return f"sqlite:///{self.workspace}/ledger.sqlite"
        return self.databases.url

    def dagster_runs(self) -> list[tuple[str, str]]:
        """Job and status of every run that Dagster knows, oldest first."""
        url = self.databases.url if self.databases else None
        url = url or f"sqlite:///{self.workspace}/.dagster/history/runs.db"
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            found = connection.execute(
                sa.text("SELECT pipeline_name, status FROM runs ORDER BY id")
            )
            return [(row[0], row[1]) for row in found]

    def everything(self) -> dict[str, str]:
        """Every file of the workspace (Dagster's too) and the server, and every database row."""
        rows = self.databases.rows() if self.databases else {}
        return {**files_below(self.workspace), **files_below(self.server.root), **rows}

    def save(self, name: str = "saved") -> None:
        """Remember everything as it is now, under a name."""
        shutil.copytree(self.workspace, self.root / name / "workspace")
        shutil.copytree(self.server.root, self.root / name / "server")
        if self.provider is not None:
            self.provider.save(name)
        if self.databases is not None:
            self.databases.save(name)

    def put_back(self, name: str = "saved") -> None:
        """Make everything as it was saved."""
        for folder in (self.workspace, self.server.root, self.scratch):
            shutil.rmtree(folder)
        shutil.copytree(self.root / name / "workspace", self.workspace)
        shutil.copytree(self.root / name / "server", self.server.root)
        self.scratch.mkdir()
        if self.provider is not None:
            self.provider.put_back(name)
        if self.databases is not None:
            self.databases.put_back(name)


@contextmanager
def staged(
    root: Path,
    commands: Commands,
    postgres_url: str | None = None,
    *,
    accounts: bool = False,
    **options: Any,
) -> Iterator[Stage]:
    """A new workspace and its servers, until the block ends."""
    (root / "server").mkdir(parents=True)
    with ExitStack() as open_until_then:
        databases = None
        if postgres_url:
            databases = Databases(postgres_url, f"stage_{uuid4().hex[:12]}")
            open_until_then.callback(databases.drop)
        provider = None
        if accounts:
            provider = open_until_then.enter_context(Provider(root / "provider", TOKEN))
        server = open_until_then.enter_context(
            SftpServer(root / "server", passwords={"roster": PASSWORD})
        )
        stage = Stage(root, commands, server, databases, provider, **options)
        stage.make()
        yield stage


def files_below(folder: Path) -> Mapping[str, str]:
    """Every file with a hash of its bytes, by its path below the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
