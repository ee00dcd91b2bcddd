"""Resolve the *.in files into the pinned *.txt beside them: `make requirements`.

Each level pins only what the levels below it do not, and starts with `-r` of the one below.
Lines with an environment marker are pinned by hand and copied, since this Python may not meet them.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LEVELS = ("base", "production", "sandbox", "dev")


def main() -> None:
    below: dict[str, str] = {}
    for number, level in enumerate(LEVELS):
        sources = [FOLDER / f"{name}.in" for name in LEVELS[: number + 1]]
        by_hand = [line for line in sources[-1].read_text().splitlines() if is_by_hand(line)]
        pins = resolve(sources, constraints=[f"{name}=={pin}" for name, pin in below.items()])
        named = {canonical(line) for line in by_hand}
        new = sorted({n: p for n, p in pins.items() if n not in below and n not in named}.items())
        lines = [f"-r {LEVELS[number - 1]}.txt"] if number else []
        lines += sorted([*by_hand, *(f"{name}=={pin}" for name, pin in new)])
        (FOLDER / f"{level}.txt").write_text("\n".join(lines) + "\n")
        below |= pins
        print(f"{level}.txt: {len(new) + len(by_hand)} packages")


def resolve(sources: list[Path], *, constraints: list[str]) -> dict[str, str]:
    """name → version of everything pip would install for these files."""
    with tempfile.TemporaryDirectory() as folder:
        limits, report = Path(folder, "constraints.txt"), Path(folder, "report.json")
        limits.write_text("\n".join([*constraints, *sys.argv[1:]]))
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", f"--report={report}", f"--constraint={limits}"]
        command += [f"--requirement={source}" for source in sources]
        subprocess.run(command, check=True)
        installs = json.loads(report.read_text())["install"]
    packages = [install["metadata"] for install in installs]
    return {canonical(package["name"]): package["version"] for package in packages}


def canonical(requirement: str) -> str:
    """The normalised project name at the start of a requirement."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def is_by_hand(line: str) -> bool:
    return ";" in line and not line.startswith("#")


if __name__ == "__main__":
    main()
