"""Plots where people would rather look than read: SVG from numbers, stretched and coloured by the style sheet.

Words stand beside them in HTML, where they keep their size on a telephone.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

HUES = 6  # series that the style sheet can tell apart
WIDE, HIGH = 600, 160  # SVG units of a plot
SIDE, LEFT, FOOT = 300, 42, 36  # of the calibration's square

_RECT = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="hue{}"/>')
_BAR = Markup(
    '<svg viewBox="0 0 100 6" preserveAspectRatio="none" class="bar" aria-hidden="true"><rect width="100" height="6" class="track"/>'
    '<rect width="{:.1f}" height="6" class="{}"/></svg>'
)
_DOT = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" class="dot"><title>{} drafts, {:.0%} right</title></circle>')
_PLOT = Markup('<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}" class="chart {}">{}</svg>')
_SQUARE = Markup('<svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}" class="chart calibration">{2}</svg>')


def columns(days: Sequence[tuple[str, Sequence[float]]], title: str, cap: float | None = None) -> Markup:
    """A column per (day, one value per series), stacked; `cap`: a line that no column may cross."""
    highest = max([sum(values) for _, values in days] + [cap or 0.0, 1e-9])
    step, scale = WIDE / max(1, len(days)), (HIGH - 4) / highest
    parts = [_column(step * (at + 0.14), step * 0.72, [value * scale for value in values], day) for at, (day, values) in enumerate(days)]
    if cap:
        parts.append(_path([(0, HIGH - cap * scale), (WIDE, HIGH - cap * scale)], "cap"))
    return _plot(title, parts, "columns")


def _column(x: float, width: float, heights: Sequence[float], told: str) -> Markup:
    drawn, floor = [Markup("<title>{}</title>").format(told)], float(HIGH)
    for series, tall in enumerate(heights):
        if tall > 0:
            floor -= max(tall, 1.0)
            drawn.append(_RECT.format(x, floor, width, max(tall, 1.0), series % HUES))
    return Markup("<g>{}</g>").format(Markup("").join(drawn))


def curves(lines: Sequence[Sequence[tuple[float, float]]], title: str) -> Markup:
    """A line per series of (x, y); nothing where there are no points."""
    points = [point for line in lines for point in line]
    if not points:
        return Markup("")
    left, low, high = min(x for x, _ in points), min(y for _, y in points), max(y for _, y in points)
    across = WIDE / max(max(x for x, _ in points) - left, 1e-9)
    up = (HIGH - 12) / max(high - low, 1e-9)
    placed = [[((x - left) * across, HIGH - 6 - (y - low) * up) for x, y in line] for line in lines]
    return _plot(title, [_path(line, f"line hue{number % HUES}") for number, line in enumerate(placed) if line], "curves")


def bar(share: float, kind: str = "hue0") -> Markup:
    """How much of a whole, 0 to 1; what it says stands beside it in words."""
    return _BAR.format(100 * min(1.0, max(0.0, share)), kind)


def calibration(points: Sequence[tuple[float, float, int]], title: str) -> Markup:
    """(confidence, share right, drafts): on the dotted line the bot is as sure as it may be."""
    inner, floor = SIDE - LEFT - 12, SIDE - FOOT
    parts = [_path([(LEFT, floor), (SIDE - 12, floor)], "axis"), _path([(LEFT, floor), (SIDE - 12, floor - inner)], "even")]
    for share in (0.0, 0.5, 1.0):
        parts.append(_words(LEFT - 6, floor - inner * share + 4, f"{share:.0%}", "end"))
        parts.append(_words(LEFT + inner * share, floor + 18, f"{share:.1f}", "middle"))
    for confidence, right, number in points:
        radius = min(9.0, 3.0 + number**0.5 / 2)
        parts.append(_DOT.format(LEFT + inner * confidence, floor - inner * right, radius, number, right))
    return _SQUARE.format(SIDE, title, Markup("").join(parts))


def _plot(title: str, parts: Sequence[Markup], kind: str) -> Markup:
    return _PLOT.format(WIDE, HIGH, title, kind, Markup("").join(parts))


def _path(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    walk = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup('<path d="M{}" class="{}"/>').format(walk, kind)


def _words(x: float, y: float, words: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, words)
