"""A OneRoster 1.2 server that costs next to nothing: records are made as text while they are sent.

    python -m benchmarks.light_server --users 1000000

`--delay` is how many milliseconds it thinks over each answer, as servers elsewhere do for 100 and
more. It prints one line of JSON (base_url, token_url) when it is ready. Everybody gets a token, and
nothing of a query is looked at but `limit` and `offset`.
"""

import argparse
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

BASE: Final = "/ims/oneroster/rostering/v1p2"
SCHOOLS: Final = 100
CLASSES: Final = 1000
ENROLLMENTS: Final = 1000
_STAMP: Final = '"status":"active","dateLastModified":"2026-08-20T06:00:00.000Z"'


def _reference(name: str, key: str) -> str:
    place = f"http://127.0.0.1{BASE}/{name}s/{key}"
    return f'{{"href":"{place}","sourcedId":"{key}","type":"{name}"}}'


def _user(n: int) -> str:
    school = _reference("org", f"school-{n % SCHOOLS:03}")
    return (
        f'{{"sourcedId":"person-{n:08}",{_STAMP},"enabledUser":"true","username":"student{n}",'
        f'"userIds":[{{"type":"SIS","identifier":"{n:08}"}}],"givenName":"Given{n % 977}",'
        f'"familyName":"Family{n % 7919}","identifier":"{n:08}","email":"student{n}@example.org",'
        f'"grades":["{n % 12 + 1:02}"],"primaryOrg":{school},"roles":[{{"roleType":"primary",'
        f'"role":"student","beginDate":"2026-08-20","org":{school}}}]}}'
    )


def _org(n: int) -> str:
    return f'{{"sourcedId":"school-{n:03}",{_STAMP},"name":"School {n}","type":"school"}}'


def _session(n: int) -> str:
    return (
        f'{{"sourcedId":"term-{n}",{_STAMP},"title":"Fall","type":"term","schoolYear":"2027",'
        '"startDate":"2026-08-20","endDate":"2027-01-15"}'
    )


def _course(n: int) -> str:
    org = _reference("org", "school-000")
    return f'{{"sourcedId":"course-{n}",{_STAMP},"title":"Course {n}","org":{org}}}'


def _class(n: int) -> str:
    return (
        f'{{"sourcedId":"class-{n:04}",{_STAMP},"title":"Class {n}","classType":"scheduled",'
        f'"course":{_reference("course", "course-0")},'
        f'"school":{_reference("org", f"school-{n % SCHOOLS:03}")},'
        f'"terms":[{_reference("academicSession", "term-0")}]}}'
    )


def _enrollment(n: int) -> str:
    return (
        f'{{"sourcedId":"enrollment-{n:04}",{_STAMP},"role":"student",'
        f'"class":{_reference("class", f"class-{n % CLASSES:04}")},'
        f'"school":{_reference("org", f"school-{n % SCHOOLS:03}")},'
        f'"user":{_reference("user", f"person-{n:08}")}}}'
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one piece: else the body waits for the headers to be acknowledged.
    wbufsize = -1
    users = 0
    delay = 0.0

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        name = asked.path.rpartition("/")[2]
        records = {
            "orgs": (_org, SCHOOLS),
            "academicSessions": (_session, 1),
            "courses": (_course, 1),
            "classes": (_class, CLASSES),
            "users": (_user, self.users),
            "enrollments": (_enrollment, min(ENROLLMENTS, self.users)),
        }
        if name not in records:
            self._send(404, b"{}")
            return
        make, total = records[name]
        query = parse_qs(asked.query)
        offset = int(query["offset"][0])
        time.sleep(self.delay)
        some = range(offset, min(offset + int(query["limit"][0]), total))
        body = f'{{"{name}":[{",".join(map(make, some))}]}}'.encode()
        self._send(200, body, {"X-Total-Count": str(total)})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, b'{"access_token":"t","token_type":"Bearer","expires_in":36000}')

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Say nothing."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--delay", type=int, default=0)
    given = parser.parse_args()
    _Handler.users, _Handler.delay = given.users, given.delay / 1000
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        sys.stdout.write(json.dumps({"base_url": url + BASE, "token_url": f"{url}/token"}) + "\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
