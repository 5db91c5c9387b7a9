"""Which algorithms may be agreed on with an SSH server.

Outdated ones only where a source asks for them by `algorithms: legacy`: with a key exchange of
1024 bits or by SHA-1, with CBC or 3DES, somebody on the way may in time read what is sent. A host
key that signs by SHA-1 (ssh-rsa) is taken always: it says who the server is and hides nothing; a
forgery would have to be found while the two shake hands; and some hosted student information
systems have no other (see `hostkeys.py`). DSA, MD5, RC4 and the like are taken never.
"""

from typing import Final, TypeAlias

_KEY_EXCHANGES: Final = (
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group1-sha1",
)
_CIPHERS: Final = ("aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc")
_MACS: Final = ("hmac-sha1-etm@openssh.com", "hmac-sha1")
OUTDATED: Final = frozenset((*_KEY_EXCHANGES, *_CIPHERS, *_MACS))

_MODERN_MACS: Final = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)

# Among key exchanges stand signs for extensions, too.
_NO_ALGORITHMS: Final = ("<None>", "kex-strict-", "ext-info-")

_Choice: TypeAlias = str | tuple[str, ...]

# As asyncssh takes them: `^` puts names before its own choice, `-` takes some away, `+` puts some
# behind. AES-GCM runs in hardware: twice as fast here as asyncssh's own first choice.
_MODERN: Final[dict[str, _Choice]] = {
    "kex_algs": "-*-sha1",
    "encryption_algs": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
    "mac_algs": _MODERN_MACS,
}
_LEGACY: Final[dict[str, _Choice]] = {
    "kex_algs": f"+{','.join(_KEY_EXCHANGES)}",
    "encryption_algs": f"+{','.join(_CIPHERS)}",
    "mac_algs": (*_MODERN_MACS, *_MACS),
}


def offered(*, legacy: bool) -> dict[str, _Choice]:
    """What we offer, as keyword arguments of `asyncssh.connect`."""
    return _LEGACY if legacy else _MODERN


def of_the_server(reason: str) -> tuple[str, ...]:
    """What a server offered, by asyncssh's words for that nothing was agreed on; may be nothing."""
    _, found, names = reason.partition(" and received ")
    if not found:
        return ()
    return tuple(name for name in names.split(",") if not name.startswith(_NO_ALGORITHMS))
