# SPDX-License-Identifier: GPL-3.0-or-later
"""Bars side by side as a picture, for results that are read by people."""

from xml.sax.saxutils import escape

LEFT, TOP, BAR, GAP, WIDTH = 150, 60, 16, 14, 520
COLOURS = ("#7f8c8d", "#1f6fb2", "#d98e04", "#a23b72", "#4c956c", "#5b5f97")


def chart(title, groups):
    """groups: {label: {name: number}}. One group of bars for each label, one colour for each name."""
    names = list(next(iter(groups.values())))
    longest = max(number for bars in groups.values() for number in bars.values())
    scale = WIDTH / longest
    height = TOP + len(groups) * (len(names) * BAR + GAP) + GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<text x="10" y="20" font-size="15">{escape(title)}</text>',
    ]
    for index, name in enumerate(names):
        x = 10 + 120 * index
        out.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{COLOURS[index]}"/>')
        out.append(f'<text x="{x + 17}" y="42">{escape(name)}</text>')
    y = TOP
    for label, bars in groups.items():
        middle = y + len(names) * BAR / 2 + 4
        out.append(f'<text x="{LEFT - 10}" y="{middle}" text-anchor="end">{escape(label)}</text>')
        for index, name in enumerate(names):
            width = bars[name] * scale
            out.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" '
                       f'fill="{COLOURS[index]}"/>')
            out.append(f'<text x="{LEFT + width + 5:.1f}" y="{y + BAR - 4}">{bars[name]:.2f}</text>')
            y += BAR
        y += GAP
    out.append("</svg>")
    return "\n".join(out) + "\n"
