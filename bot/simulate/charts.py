"""Pictures of the report: SVG, inline, no script. Each is a function from numbers to markup."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from bot.simulate.intervals import Figure

WIDTH, ROW, RIGHT = 330, 44, 82  # SVG units, one a pixel on a telephone
SIDE = 320  # of the calibration square
MOST_ROWS = 60
LONGEST = 40  # characters of a row's name, which stands above its bar


def bars(rows: Sequence[tuple[str, Figure]], title: str) -> Markup:
    """A share per row, 0 to 100%, with its interval as a whisker."""
    shown = [(name, figure) for name, figure in rows if figure.value is not None][-MOST_ROWS:]
    height = ROW * len(shown) + 10
    scale = WIDTH - RIGHT
    parts = []
    for at, (name, figure) in enumerate(shown):
        y = 8 + at * ROW
        value, low, high = (scale * min(1.0, max(0.0, number or 0.0)) for number in (figure.value, figure.low, figure.high))
        parts.append(
            Markup(
                '<text x="0" y="{}" class="value">{}</text><rect x="0" y="{}" width="{}" height="16" rx="3" class="track"/>'
                '<rect x="0" y="{}" width="{:.1f}" height="16" rx="3" class="bar"/>'
                '<path d="M{:.1f} {}H{:.1f}" class="whisker"/><text x="{}" y="{}" class="value">{:.0%} of {}</text>'
            ).format(
                *(y + 6, name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"),
                *(y + 12, scale, y + 12, value, low, y + 20, high),
                *(scale + 8, y + 25, figure.value, figure.n),
            )
        )
    return _picture(WIDTH, height, title, parts)


def calibration(points: Sequence[tuple[float, Figure]], title: str) -> Markup:
    """Confidence against the share that was right; on the dotted line both are the same."""
    inner = SIDE - 60

    def place(x: float, y: float) -> tuple[float, float]:
        return 45 + inner * x, 15 + inner * (1 - y)

    parts = [Markup('<path d="M45 15V{0}H{1}" class="axis"/><path d="M45 {0}L{1} 15" class="even"/>').format(15 + inner, 45 + inner)]
    for share in (0.0, 0.5, 1.0):
        x, y = place(share, share)
        parts.append(
            Markup('<text x="40" y="{:.0f}" class="name">{:.0%}</text><text x="{:.0f}" y="{}" class="value mid">{:.1f}</text>').format(
                y + 4, share, x, 15 + inner + 18, share
            )
        )
    for confidence, figure in points:
        if figure.value is None or figure.low is None or figure.high is None:
            continue
        x, y = place(confidence, figure.value)
        low, high = place(confidence, figure.low)[1], place(confidence, figure.high)[1]
        parts.append(
            Markup(
                '<path d="M{0:.1f} {1:.1f}V{2:.1f}" class="whisker"/><circle cx="{0:.1f}" cy="{3:.1f}" r="{4}" class="dot">'
                "<title>{5} drafts</title></circle>"
            ).format(x, low, high, y, 4 if figure.n < 20 else 6, figure.n)
        )
    parts.append(Markup('<text x="{}" y="{}" class="value mid">confidence</text>').format(45 + inner / 2, SIDE - 8))
    return _picture(SIDE, SIDE, title, parts)


def _picture(width: int, height: int, title: str, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" style="max-width:{}px">').format(width, height, escape(title), width)
    return head + Markup("").join(parts) + Markup("</svg>")
