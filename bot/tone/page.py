"""The evaluation as one page that needs nothing else: figures, curves, and the replies side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.tone.curves import curves
from connectors.base import ConfigProblem

TEMPLATES = Path(__file__).parent / "templates"
PAGE, REPORT = "evaluation.html", "evaluation.json"


def write_page(folder: Path, document: Mapping[str, Any], side_by_side: Sequence[Sequence[tuple[str, str]]]) -> Path:
    """Both files, readable by their owner only; returns the page's path. Raises ConfigProblem."""
    import jinja2

    loader = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined)
    drawn = curves(document["curve"], "training and held-out loss by step")
    html = loader.get_template(PAGE).render(report=document, rows=side_by_side, curves=drawn)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((REPORT, json.dumps(document, ensure_ascii=False, indent=2) + "\n"), (PAGE, html)):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigProblem(f"{folder}: the evaluation cannot be written ({problem.strerror}); give another --out") from None
    return folder / PAGE
