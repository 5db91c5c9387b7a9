"""Files encrypted with OpenPGP: opened by the optional package pysequoia, block by block."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from roster_pipeline.tables.zip_directory import HARMLESS, Limits

if TYPE_CHECKING:
    from pysequoia import Cert

_PROCESS: Final = "roster_pipeline.sources.pgp_process"

# How pysequoia says it. Behind the first line stands where in its own code it was.
_UNSIGNED: Final = "Signature verification failed"
_NO_KEY: Final = "No key to decrypt"
_NOT_PGP: Final = ("Reading ", "Malformed", "unexpected EOF")


class PgpError(Exception):
    """A file that OpenPGP does not open, or keys that are none. `code` is one of "no_pgp",
    "wrong_key", "not_encrypted", "not_signed", "damaged", "bomb"; the sentence holds no key."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class PgpKeys:
    """Keys as text, armored."""

    private: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)
    signer: str | None = field(default=None, repr=False)
    """The public key of who has to have signed; None where nobody has."""


def decrypt(
    encrypted: BinaryIO, into: BinaryIO, keys: PgpKeys, limits: Limits | None = None
) -> None:
    """Write what a file holds to another. Both are open files of the system's, read and written
    from their beginning. Where there is a signer, nothing is trusted before all of it is proved.
    Raises `PgpError`; `into` is then to be thrown away."""
    try:
        import pysequoia  # noqa: F401
    except ImportError:
        raise PgpError(
            "no_pgp",
            "files encrypted with PGP need an extra of roster-pipeline. Install it: "
            "pip install 'roster-pipeline[pgp]'.",
        ) from None
    _check_private(keys)
    signer = _signer(keys)
    encrypted.flush()
    size = os.fstat(encrypted.fileno()).st_size
    most = _most(size, limits or Limits())
    answer = _in_a_process(encrypted.fileno(), into.fileno(), keys, most)
    if "signers" not in answer:
        if os.fstat(into.fileno()).st_size >= most:
            raise PgpError(
                "bomb", f"it grows to more than {most} bytes from {size}. That is no roster."
            )
        raise _explained(answer.get("said", ""))
    if signer is not None and signer.fingerprint not in answer["signers"]:
        raise _not_signed()


def _most(size: int, limits: Limits) -> int:
    """To how many bytes a file may grow: it may be packed before it is encrypted."""
    return min(limits.total_bytes, max(HARMLESS, limits.ratio * size))


def _in_a_process(source: int, target: int, keys: PgpKeys, most: int) -> dict[str, Any]:
    """What `pgp_process` answers; nothing where it was killed."""
    told = {
        "private": keys.private,
        "passphrase": keys.passphrase,
        "signer": keys.signer,
        "most": most,
    }
    done = subprocess.run(  # noqa: S603 (our own module; keys go by its standard input)
        [sys.executable, "-P", "-m", _PROCESS, str(source), str(target)],
        input=json.dumps(told).encode(),
        pass_fds=(source, target),
        capture_output=True,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return answer


def _check_private(keys: PgpKeys) -> None:
    from pysequoia import Tsk

    try:
        key = Tsk.from_bytes(keys.private.encode())
    except Exception:
        raise PgpError(
            "wrong_key",
            "what `private_key` leads to is no PGP key. Export it: gpg --export-secret-keys "
            "--armor NAME.",
        ) from None
    try:
        key.decryptor(keys.passphrase)
    except Exception:
        raise PgpError(
            "wrong_key",
            "`private_key` cannot be used: its `passphrase` is wrong or missing, or it is a public "
            "key, or has no part that decrypts. Look at it: gpg --show-keys FILE.",
        ) from None


def _signer(keys: PgpKeys) -> "Cert | None":
    from pysequoia import Cert

    if keys.signer is None:
        return None
    try:
        return Cert.from_bytes(keys.signer.encode())
    except Exception:
        raise PgpError(
            "wrong_key",
            "what `signed_by` leads to is no PGP key. Ask the district for its public key.",
        ) from None


def _explained(said: str) -> PgpError:
    if said.startswith(_UNSIGNED):
        return _not_signed()
    if said.startswith(_NO_KEY):
        return PgpError(
            "wrong_key",
            "it is encrypted for another key than `private_key`. Send the district the public key "
            "again: gpg --export --armor NAME.",
        )
    if said.startswith(_NOT_PGP):
        return PgpError(
            "not_encrypted",
            "it is not encrypted with PGP, or cut off at its beginning. Ask the district to "
            "encrypt it, or take `encryption` out.",
        )
    return PgpError("damaged", "it is damaged or cut off, so PGP does not open it. Send it again.")


def _not_signed() -> PgpError:
    return PgpError(
        "not_signed",
        "it does not have the signature of the key in `signed_by`. Nothing was taken. Ask the "
        "district to sign it, and whether it has a new key.",
    )
