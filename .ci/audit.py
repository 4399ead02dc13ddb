"""Known vulnerabilities of what is locked: ``python .ci/audit.py PIP_AUDIT LOCK…``. Says so where no advisories can be reached."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "15", "--format", "json")


def audit(program: str, lock: str) -> tuple[list[dict[str, Any]], str]:
    """What was looked up, and what the tool said beside it."""
    done = subprocess.run([program, *OPTIONS, "-r", lock], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return json.loads(done.stdout)["dependencies"], done.stderr
    except (ValueError, KeyError):
        return [], done.stderr


def main() -> int:
    program, *locks = sys.argv[1:]
    bad = 0
    for lock in locks:
        try:
            found, said = audit(program, lock)
        except OSError as problem:
            found, said = [], str(problem)
        known = [one for one in found if "skip_reason" not in one]
        if not known:
            reason = said.strip().splitlines()[-1:] or ["every package was unknown to it"]
            print(f"audit of {lock} skipped: no source of advisories can be reached ({reason[0][:160]})")
            continue
        for one in known:
            for flaw in one["vulns"]:
                bad += 1
                mended = ", ".join(flaw["fix_versions"]) or "no release yet"
                print(f"{lock}: {one['name']} {one['version']}: {flaw['id']}, fixed in {mended}")
        print(f"audit of {lock}: {len(known)} of {len(found)} packages looked up, {bad} known flaws")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
