"""A training's curves as an inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT = 520, 240
LEFT, BOTTOM, TOP, RIGHT = 48, 34, 14, 12
LINES = (("train_loss", "training loss", "train"), ("valid_loss", "held-out loss", "valid"))


def curves(points: Sequence[Mapping[str, Any]], title: str) -> Markup:
    """`points` hold `step` and, where known, `train_loss` and `valid_loss`. Nothing drawn where there are none."""
    values = [float(point[name]) for point in points for name, _, _ in LINES if point.get(name) is not None]
    if not values:
        return Markup("")
    first, last = min(point["step"] for point in points), max(point["step"] for point in points)
    low, high = min(values), max(values)
    if high == low:
        low, high = low - 0.5, high + 0.5

    def place(step: float, value: float) -> tuple[float, float]:
        across = (step - first) / ((last - first) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [_axes(first, last, low, high)]
    for at, (name, label, style) in enumerate(LINES):
        drawn = [place(point["step"], float(point[name])) for point in points if point.get(name) is not None]
        if drawn:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in drawn)
            parts.append(Markup('<path d="M{}" class="{}"/>').format(path, style))
            parts.extend(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.5" class="dot {}"/>').format(x, y, style) for x, y in drawn)
            parts.append(Markup('<text x="{}" y="{}" class="{} key">{}</text>').format(WIDTH - RIGHT, TOP + 14 * (at + 1), style, label))
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" style="max-width:{}px">').format(WIDTH, HEIGHT, escape(title), WIDTH)
    return head + Markup("").join(parts) + Markup("</svg>")


def _axes(first: float, last: float, low: float, high: float) -> Markup:
    floor = HEIGHT - BOTTOM
    return Markup(
        '<path d="M{0} {1}V{2}H{3}" class="axis"/>'
        '<text x="{4}" y="{5}" class="end">{6:.2f}</text><text x="{4}" y="{2}" class="end">{7:.2f}</text>'
        '<text x="{0}" y="{8}">{9:g}</text><text x="{3}" y="{8}" class="end">{10:g} steps</text>'
    ).format(LEFT, TOP, floor, WIDTH - RIGHT, LEFT - 6, TOP + 8, high, low, floor + 18, first, last)
