"""What the benches over several processes share: a PostgreSQL server of their own, processor time of others, and a plot of curves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

PASSWORD = "bench-7281"
TICK = os.sysconf("SC_CLK_TCK")
COLOURS = ("#3b6ea5", "#b9b9b9", "#c05a28")
WIDE, HIGH, LEFT, LOW = 460, 260, 60, 44  # pixels: the field of a plot, and the room for its numbers


class Postgres:
    """A server with the durability of a real one (fsync on), on a Unix socket in `folder`."""

    def __init__(self, folder: Path) -> None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
        if not installed:
            sys.exit("PostgreSQL server not installed (Debian package postgresql)")
        self._programs, self._folder = installed[-1].parent, folder

    def __enter__(self) -> Self:
        (self._folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self._folder, self._folder / "password"):
                shutil.chown(path, "postgres")
        way_in = ["-U", "bench", "-A", "scram-sha-256", "--pwfile", self._folder / "password"]
        self._run("initdb", "-D", self._folder / "data", *way_in, "-E", "UTF8", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c max_connections=400"
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-l", self._folder / "log", "-o", options, "start")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "stop")

    def create(self, name: str) -> str:
        """An empty database's URL."""
        import psycopg

        with psycopg.connect(f"host={self._folder} dbname=postgres user=bench password={PASSWORD}", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        return f"postgresql://bench:{PASSWORD}@/{name}?host={self._folder}"

    def cpu_seconds(self) -> float:
        """Of the server and all its backends, those that ended too."""
        postmaster = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = [int(pid) for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
        return sum(map(cpu_seconds, [postmaster, *children]))

    def _run(self, program: str, *arguments: str | Path) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*user, self._programs / program, *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of its children that ended; 0.0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICK


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def curve(title: str, below: str, lines: dict[str, dict[int, float]]) -> str:
    """Lines over whole numbers as SVG."""
    right = max(x for points in lines.values() for x in points)
    top = max(y for points in lines.values() for y in points.values()) * 1.05

    def place(x: float, y: float) -> tuple[float, float]:
        return round(LEFT + WIDE * x / right, 1), round(HIGH + 30 - HIGH * y / top, 1)

    drawn = [f'<text x="8" y="16" font-weight="bold">{title}</text>']
    for quarter in range(5):
        y = top * quarter / 4
        drawn.append(f'<line x1="{LEFT}" x2="{LEFT + WIDE}" y1="{place(0, y)[1]}" y2="{place(0, y)[1]}" stroke="#e4e4e4"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{place(0, y)[1] + 4}" text-anchor="end">{y:.1f}</text>')
    for x in sorted({x for points in lines.values() for x in points}):
        drawn.append(f'<text x="{place(x, 0)[0]}" y="{HIGH + 48}" text-anchor="middle">{x}</text>')
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        path = " ".join(f"{x},{y}" for x, y in (place(*point) for point in sorted(points.items())))
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in (place(*point) for point in points.items())]
        x, y = place(*max(points.items()))
        drawn.append(f'<text x="{x - 6}" y="{y - 8}" text-anchor="end" fill="{colour}">{name}</text>')
    drawn.append(f'<text x="{LEFT + WIDE / 2}" y="{HIGH + 68}" text-anchor="middle">{below}</text>')
    size = f'width="{LEFT + WIDE + 20}" height="{HIGH + LOW + 40}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )
