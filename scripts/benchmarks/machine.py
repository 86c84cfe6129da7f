"""Machine: which processor and which GPU the peers are measured on, told without loading any of them."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys


def gpu() -> str | None:
    """Returns the name of the first GPU that every peer takes by default; None where there is none."""
    if shutil.which("nvidia-smi") is None:
        return None
    asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.partition("\n")[0].strip() or None if answer.returncode == 0 else None


def description() -> str:
    """Returns the machine in a few words, such as "Intel Xeon, 2 cores"."""
    parts = [_processor(), f"{os.cpu_count()} cores", gpu()]
    return ", ".join(part for part in parts if part)


def _processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
