"""`python -m benchmarks` times a daily sync and a check; `--full` adds a million students."""

import subprocess
import sys

subprocess.run([sys.executable, "-m", "benchmarks.daily_sync"], check=True)
subprocess.run([sys.executable, "-m", "benchmarks.check"], check=True)
if "--full" in sys.argv:
    million = ["--students", "1000000"]
    floor = [*million, "--runs", "1", "--skip", "naive"]
    subprocess.run([sys.executable, "-m", "benchmarks.daily_sync", *floor], check=True)
    through = [sys.executable, "-m", "benchmarks.district_through_the_command"]
    subprocess.run([*through, *million], check=True)
