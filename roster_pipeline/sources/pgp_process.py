"""Opens one OpenPGP file, as a process of its own: `python -m roster_pipeline.sources.pgp_process`.

pysequoia lets nothing else go on while it works, and writes for as long as there is something to
write. Here it may take its time, and the system ends it at the size that is allowed.

The arguments are the numbers of two open files, to read and to write; a JSON object on the standard
input has the key, its passphrase, who signs, and the most bytes. The answer is one on the standard
output: `signers`, as fingerprints, or what pysequoia `said` where it failed.
"""

import json
import resource
import sys
from typing import Any


def main() -> None:
    """Read what to do, do it, and say what came of it."""
    source, target = (f"/dev/fd/{number}" for number in sys.argv[1:3])
    told = json.load(sys.stdin)
    # Python takes no notice of the signal; the write fails.
    resource.setrlimit(resource.RLIMIT_FSIZE, (told["most"], told["most"]))
    try:
        json.dump({"signers": _opened(source, target, told)}, sys.stdout)
    except Exception as error:
        json.dump({"said": str(error)}, sys.stdout)


def _opened(source: str, target: str, told: dict[str, Any]) -> list[str]:
    from pysequoia import Cert, Tsk, decrypt_file

    signer = None if told["signer"] is None else Cert.from_bytes(told["signer"].encode())
    done = decrypt_file(
        source,
        target,
        decryptor=Tsk.from_bytes(told["private"].encode()).decryptor(told["passphrase"]),
        store=None if signer is None else lambda _: [signer],
    )
    return [found.certificate for found in done.valid_sigs]


if __name__ == "__main__":
    main()
