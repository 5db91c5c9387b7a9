"""`python -m fuzz` lets atheris change what the targets read, each target in a process of its own.

    python -m fuzz                        all targets, ten minutes in all
    python -m fuzz csv_reader --seconds 60

An input that raises, takes over 10 s or over 1 GiB is kept in `fuzz/found/`, and the exit code
is 1. Needs atheris, which is no dependency of the project: `make fuzz` installs it.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

FOUND = Path(__file__).parent / "found"
SHARES = {"zip_reader": 1, "csv_reader": 2, "manifest": 1, "members": 4, "package": 2}


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one target; the process ends here."""
    import atheris

    with atheris.instrument_imports(include=["roster_pipeline"]):
        from fuzz.targets import TARGETS, seeds

    with TemporaryDirectory(prefix="corpus-") as corpus:
        for number, seed in enumerate(seeds(name)):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        options = {
            "max_total_time": seconds,
            "timeout": 10,
            "rss_limit_mb": 1024,
            "max_len": 1 << 15,
            "print_final_stats": 1,
            "artifact_prefix": f"{FOUND}/{name}-",
        }
        arguments = [f"-{option}={value}" for option, value in options.items()]
        atheris.Setup([sys.argv[0], *arguments, corpus], TARGETS[name])
        atheris.Fuzz()


def main() -> int:
    """Fuzz what the command line asks for; 1 if anything was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("target", nargs="?", choices=list(SHARES))
    parser.add_argument("--seconds", type=int, default=600)
    arguments = parser.parse_args()
    FOUND.mkdir(exist_ok=True)
    if arguments.target:
        _fuzz(arguments.target, arguments.seconds)
        return 0
    failed = []
    for name, share in SHARES.items():
        seconds = arguments.seconds * share // sum(SHARES.values())
        command = [sys.executable, "-m", "fuzz", name, "--seconds", str(seconds)]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    sys.stdout.write(f"found something in: {', '.join(failed) or 'none'}; see {FOUND.name}/\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
