"""Ends exchanges by HTTP that last too long, whatever they are just doing.

A server that sends a byte now and then is never silent, so no timeout of a socket ends it: another
thread looks at the clock and cuts the connection.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

import urllib3
from requests.adapters import HTTPAdapter

_LOOKS: Final = 0.1
"""Seconds between two looks at the clock."""
_IDLE: Final = 20
"""Looks without any exchange after which the thread ends."""

_THIS_THREAD: Final = threading.local()


class Exchange:
    """A request and its answer, made by one thread and watched by another."""

    def __init__(self, seconds: float, enough: threading.Event) -> None:
        self._seconds = seconds
        self._enough = enough
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._ends: float | None = None
        self.is_late = False
        """Whether it was ended because it took longer than it may."""

    @property
    def is_over(self) -> bool:
        """Whether it was ended, so that what came of an answer may not be all of it."""
        return self.is_late or self._enough.is_set()

    def hold(self, line: socket.socket) -> None:
        """Take a connection as the one to cut. With the first, time begins to run."""
        # A descriptor of its own: TLS and the library take that of `line` away and close it.
        ours = socket.fromfd(line.fileno(), line.family, line.type, line.proto)
        with self._lock:
            former, self._line = self._line, ours
            self._ends = self._ends or time.monotonic() + self._seconds
        if former is not None:
            former.close()

    def look(self, now: float) -> None:
        """Cut the connection if it is time."""
        with self._lock:
            if self._line is None or self._ends is None:
                return
            self.is_late = self.is_late or now > self._ends
            if self.is_over:
                with suppress(OSError):  # the other side may have hung up
                    self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection, which stays as it is."""
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None


class Watchdog:
    """Watches the exchanges of all threads, by a thread of its own while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: set[Exchange] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, seconds: float, enough: threading.Event) -> Iterator[Exchange]:
        """The exchange that this thread makes in a `with` block, which ends when it has lasted so
        many seconds or when there is `enough`."""
        exchange = Exchange(seconds, enough)
        with self._lock:
            self._watched.add(exchange)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._look, name="http", daemon=True)
                self._thread.start()
        _THIS_THREAD.exchange = exchange
        try:
            yield exchange
        finally:
            _THIS_THREAD.exchange = None
            with self._lock:
                self._watched.discard(exchange)
            exchange.close()

    def _look(self) -> None:
        idle = 0
        while True:
            time.sleep(_LOOKS)
            with self._lock:
                watched = tuple(self._watched)
                idle = 0 if watched else idle + 1
                if idle > _IDLE:
                    self._thread = None
                    return
            now = time.monotonic()
            for exchange in watched:
                exchange.look(now)


class WatchedAdapter(HTTPAdapter):
    """Connections that show themselves to the exchange for which they are used."""

    def get_connection_with_tls_context(self, *args: Any, **keys: Any) -> Any:
        """A pool of such connections."""
        pool: Any = super().get_connection_with_tls_context(*args, **keys)
        pool.ConnectionCls = _watched(pool.ConnectionCls)
        return pool


@cache
def _watched(kind: type[Any]) -> type[Any]:
    """The same kind of connection, watched."""
    return kind if hasattr(kind, "_is_watched") else type(kind.__name__, (_Watched, kind), {})


class _Watched(urllib3.connection.HTTPConnection):
    _is_watched = True

    def _new_conn(self) -> socket.socket:
        line = super()._new_conn()
        _hold(line)
        return line

    def putrequest(self, *args: Any, **keys: Any) -> None:
        # One that was kept open from an earlier exchange.
        if self.sock is not None:
            _hold(self.sock)
        super().putrequest(*args, **keys)


def _hold(line: Any) -> None:
    exchange = getattr(_THIS_THREAD, "exchange", None)
    if exchange is not None:
        # TLS within TLS, as by some proxies, is no socket but has one.
        exchange.hold(getattr(line, "socket", line))
