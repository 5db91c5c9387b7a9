"""The last package once more, for a receiver that wants a file each day."""

from datetime import timedelta
from pathlib import Path

from tests.receivers.desk import Desk

BULK = {"mode": "bulk", "path": "in/{source}.zip"}


def test_the_last_package_is_sent_however_old_it_is_and_though_it_lies_there(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, BULK)
    first = desk.bring()
    file = tmp_path / "in" / "springfield.zip"
    content, before = file.read_bytes(), file.stat().st_ctime_ns
    desk.now += timedelta(days=40)

    with desk.sender() as sender:
        again = sender.once_more(desk.accepted())

    assert again.news
    assert (file.read_bytes(), file.stat().st_ctime_ns == before) == (content, False)
    assert again.delivery.package_hash == first.delivery.package_hash
    assert again.delivery.at == desk.now
    assert not desk.bring().news


def test_where_the_file_goes_elsewhere_now_the_last_package_does_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, BULK)
    desk.bring()
    desk.keys = {**BULK, "path": "in/{source}-daily.zip"}
    old = tmp_path / "in" / "springfield.zip"
    old.unlink()

    with desk.sender() as sender:
        assert sender.once_more(desk.accepted()).delivery.path == "in/springfield-daily.zip"

    assert not old.exists()
    assert (tmp_path / "in" / "springfield-daily.zip").exists()


def test_where_the_file_is_made_otherwise_now_it_is_put_there_even_if_its_bytes_are_the_same(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, BULK)
    desk.bring()
    file = tmp_path / "in" / "springfield.zip"
    before = file.stat().st_ctime_ns
    desk.keys = {**BULK, "transport": {"folder": {"path": "./."}}}
    desk.day()

    with desk.sender() as sender:
        assert sender.once_more(desk.accepted()).news

    assert file.stat().st_ctime_ns != before
