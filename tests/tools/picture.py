#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Draws a recorded terminal as an SVG: picture.py demo.cast >demo.svg (`make picture`).

The recording is an asciicast v2 with output in whole lines, as tests/tools/demo.py
writes it. Each line appears when it came, and stays; where nothing may move, or
the renderer knows no CSS animation, all of them are there at once.
"""

import fileinput
import json
import re
import time
from xml.sax.saxutils import escape

FONT, ADVANCE, LEADING = 13, 7.8, 20	# pixels: a letter's size and width, a line's height
MARGIN, BAR = 16, 32			# around the text; the title bar
ENDPOINTS = re.compile(r"\S+ \S+ \S+ -> \S+ ")		# of a record: what is before its banner

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-labelledby="title desc">
<title id="title">{title}</title>
<desc id="desc">A terminal on {date}. Typed: {typed}. Below it, the {count} lines that came.</desc>
<style>
text {{ font: {font}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: #e6edf3; white-space: pre }}
.typed text {{ font-weight: bold }}
.dim {{ fill: #9198a1 }}
@media (prefers-reduced-motion: no-preference) {{ .line {{ animation: appear 0.1s both }} }}
@keyframes appear {{ from {{ opacity: 0 }} }}
</style>
<rect x="0.5" y="0.5" width="{inner}" height="{deep}" rx="8" fill="#151b23" stroke="#656c76"/>
<path d="M0.5 {bar}H{edge}" stroke="#3d444d"/>
<g fill="#656c76"><circle cx="20" cy="16" r="5"/><circle cx="38" cy="16" r="5"/>\
<circle cx="56" cy="16" r="5"/></g>
<text class="dim" x="{middle}" y="21" text-anchor="middle">{title}</text>
{lines}
</svg>"""


def printable(text):
    """Without what XML cannot hold or a font may lack, in the notation of the records."""
    return re.sub(r"[^ -~]", lambda found: rf"\x{ord(found[0]):02x}", text)


def recorded(cast):
    """The header, and (seconds, line) of all that was written."""
    header, *events = map(json.loads, cast)
    return header, [(when, printable(line)) for when, kind, text in events if kind == "o"
                    for line in text.removesuffix("\r\n").split("\r\n")]


def row(text, dim, y):
    """One row of the terminal, of which the first `dim` letters matter less."""
    # By its length the columns are right in whatever font there is.
    return (f'<text xml:space="preserve" x="{MARGIN}" y="{y}" textLength="{len(text) * ADVANCE:.1f}">'
            f'<tspan class="dim">{escape(text[:dim])}</tspan>{escape(text[dim:])}</text>')


def draw(header, lines):
    columns = header["width"]
    y, groups = BAR + MARGIN, []
    for when, line in lines:
        before = ENDPOINTS.match(line)
        dim = before.end() if before else 0
        rows = []
        for start in range(0, max(len(line), 1), columns):
            y += LEADING
            rows.append(row(line[start:start + columns], max(dim - start, 0), y - 6))
        kind = "line typed" if line.startswith("$ ") else "line"
        groups.append(f'<g class="{kind}" style="animation-delay:{when:.2f}s">{"".join(rows)}</g>')
    width, height = round(columns * ADVANCE + 2 * MARGIN), y + MARGIN
    return SVG.format(
        width=width, height=height, inner=width - 1, deep=height - 1, edge=width - 0.5, middle=width / 2,
        bar=BAR + 0.5, font=FONT, title=escape(printable(header["title"])), lines="\n".join(groups),
        date=time.strftime("%Y-%m-%d", time.gmtime(header["timestamp"])),
        typed=escape(lines[0][1].removeprefix("$ ")), count=len(lines) - 1)


if __name__ == "__main__":
    print(draw(*recorded(fileinput.input())))
