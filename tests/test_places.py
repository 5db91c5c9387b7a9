"""Two destinations that would write to one place are refused with file and line, before anything
is sent."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from roster_pipeline.receivers.config import Destination
from roster_pipeline.workspace.places import Clash, clashes
from tests.test_workspace import folder, problems, write

__all__ = ["folder"]
"""A fixture."""

SFTP = {
    "host": "in.example",
    "username": "us",
    "password": {"env": "PASSWORD"},
    "known_hosts": "known_hosts",
}
S3: dict[str, Any] = {"bucket": "rosters", "region": "us-east-2"}
FORM: dict[str, Any] = {"base_url": "https://up.example", "form": {"fields": {"kind": "staff"}}}
OTHER_FORM: dict[str, Any] = {**FORM, "form": {"fields": {"kind": "students"}}}


def destination(name: str, transport: dict[str, Any], path: str, **keys: Any) -> Destination:
    said = {"id": name, "transport": transport, "path": path, "sources": ["a"], **keys}
    return Destination.model_validate(said)


def found(first: tuple[dict[str, Any], str], second: tuple[dict[str, Any], str]) -> list[Clash]:
    said = {}
    for name, (transport, path) in (("first", first), ("second", second)):
        delta = (
            {"mode": "delta", "profile": "oneroster-1.2"} if "{n" in path or "{d" in path else {}
        )
        said[name] = destination(name, transport, path, **delta)
    return list(clashes(said, ["a"], Path("/srv/roster")))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (({"sftp": SFTP}, "/in/a.zip"), ({"sftp": SFTP}, "in//A.zip")),
        (({"sftp": SFTP}, "a.zip"), ({"sftp": {**SFTP, "host": "IN.example"}}, "{source}.zip")),
        (({"folder": {"path": "out"}}, "in/a.zip"), ({"folder": {"path": "out/in"}}, "a.zip")),
        (({"folder": {"path": "out"}}, "/x/a.zip"), ({"folder": {"path": "out/x"}}, "a.zip")),
        (({"s3": {**S3, "prefix": "to"}}, "a.zip"), ({"s3": S3}, "/to/a.zip")),
        (({"https": {"base_url": "https://up.example"}}, "in/a.zip"),
         ({"https": {"base_url": "https://up.example/in"}}, "a.zip")),
        (({"https": FORM}, "a.zip"), ({"https": FORM}, "a.zip")),
        (({"sftp": SFTP}, "a-{number}.zip"), ({"sftp": SFTP}, "a-{number}.zip")),
        (({"sftp": SFTP}, "a-{number}.zip"), ({"sftp": SFTP}, "a-000017.zip")),
        (({"sftp": SFTP}, "a-2026-09-14.zip"), ({"sftp": SFTP}, "a-{date}.zip")),
    ],
)  # fmt: skip
def test_one_place_is_one_place_however_it_is_said(
    first: tuple[dict[str, Any], str], second: tuple[dict[str, Any], str]
) -> None:
    (clash,) = found(first, second)
    assert (clash.first, clash.second, clash.key) == ("first", "second", "path")
    assert found(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (({"sftp": SFTP}, "a.zip"), ({"sftp": {**SFTP, "port": 2222}}, "a.zip")),
        (({"sftp": SFTP}, "a.zip"), ({"sftp": {**SFTP, "jump_host": SFTP}}, "a.zip")),
        (({"sftp": SFTP}, "a.zip"), ({"folder": {"path": "."}}, "a.zip")),
        (({"s3": S3}, "a.zip"), ({"s3": {**S3, "bucket": "others"}}, "a.zip")),
        (({"https": FORM}, "a.zip"), ({"https": OTHER_FORM}, "a.zip")),
        (({"sftp": SFTP}, "a-000017.zip"), ({"sftp": SFTP}, "a-000018.zip")),
        (({"sftp": SFTP}, "a-{number}.zip"), ({"sftp": SFTP}, "a-{date}.zip")),
    ],
)
def test_places_beside_each_other_are_two(
    first: tuple[dict[str, Any], str], second: tuple[dict[str, Any], str]
) -> None:
    assert found(first, second) == []


def test_the_two_zips_of_naviance_need_a_folder_each(folder: Path) -> None:
    for kind in ("staff", "students"):
        said = destination(
            kind,
            {"sftp": SFTP},
            "/NavianceOneRoster.zip",
            sources=["springfield"],
            profile=f"naviance-{kind}",
        )
        document = said.model_dump(mode="json", exclude_unset=True)
        write(folder, f"destinations/{kind}.yaml", yaml.safe_dump(document, sort_keys=False))
    assert problems(folder) == [
        "destinations/students.yaml:12:7: `path`: destination staff writes to the same path; one "
        "would overwrite the other before it is fetched. Both have to be called "
        "NavianceOneRoster.zip: give each its own folder"
    ]
