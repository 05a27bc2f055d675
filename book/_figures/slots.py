"""Draw `_static/slots.svg`: one block of a transformer, its slots, and ideas that fill each.

Run it after a change: `python book/_figures/slots.py`. It writes plain SVG and needs nothing.
"""

from html import escape
from pathlib import Path

OUT = Path(__file__).parents[1] / "_static" / "slots.svg"
WIDTH, HEIGHT = 556, 424
INK, PALE, LINE = "#1b2733", "#f4f6f8", "#8494a4"

# (slot, the question it answers, examples, fill); from the bottom of the picture to the top.
STREAM = [
    ("tokens", "what is a token?", "characters, patches, numbers", "#dbe7f3"),
    ("positions", "where is it?", "sinusoidal, rotary, ALiBi", "#dbe7f3"),
    ("token mixer", "who hears whom?", "attention, linear, delta rule", "#fbe3c0"),
    ("channel mixer", "what does a token make of it?", "MLP, gated units, experts", "#fbe3c0"),
    ("head", "what is asked of it?", "next token, class, forecast", "#dbe7f3"),
]


def text(x: float, y: float, words: str, size: int = 15, style: str = "") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" {style}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, fill: str, stroke: str = LINE) -> str:
    shape = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8"'
    return f'{shape} fill="{fill}" stroke="{stroke}"/>'


def arrow(path: str) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.6" marker-end="url(#tip)"/>'
    )


def draw() -> str:
    left, width, height, step = 196, 140, 46, 80
    tops = [350 - step * i for i in range(len(STREAM))]
    middle, right = left + width / 2, left + width + 28
    parts = [box(left - 40, tops[3] - 18, width + 54, 2 * step, PALE)]
    for (slot, question, examples, fill), top in zip(STREAM, tops):
        parts += [
            box(left, top, width, height, fill, INK),
            text(middle, top + 29, slot, 17, 'text-anchor="middle" font-weight="bold"'),
            text(right, top + 20, question, 15, 'font-style="italic"'),
            text(right, top + 40, examples, 14, 'fill="#4a5a6a"'),
        ]
    for lower, upper in zip(tops, tops[1:]):
        parts.append(arrow(f"M{middle} {lower} V{upper + height + 3}"))
    for top in tops[2:4]:  # the residual path around each of the two mixers
        parts.append(arrow(f"M{middle} {top + 58} H{left - 22} V{top - 10} H{middle - 3}"))
    parts += beside(left - 50, tops[3], "depth", "how often, how far?")
    parts += beside(left - 50, tops[2], "connection", "how is it added?")
    return page(parts)


def beside(x: float, top: float, slot: str, question: str) -> list[str]:
    """The two slots that are no box: they stand on the left, against the frame."""
    end = 'text-anchor="end"'
    return [
        text(x, top + 20, slot, 17, f'{end} font-weight="bold"'),
        text(x, top + 40, question, 15, f'{end} font-style="italic"'),
    ]


def page(parts: list[str]) -> str:
    title = "One block of a transformer: its slots, the question each answers, and what fills it"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title}" font-family="Helvetica, Arial, sans-serif" fill="{INK}">'
        f"<title>{title}</title>"
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{INK}"/></marker>'
    )
    return "\n".join([head, box(0, 0, WIDTH, HEIGHT, "#ffffff", "none"), *parts, "</svg>\n"])


if __name__ == "__main__":
    OUT.write_text(draw(), encoding="utf-8")
