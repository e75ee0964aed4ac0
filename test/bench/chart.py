# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures (SVG) of results that are read by people: bars side by side, lines over time, a single
figure."""

import itertools
import math
from xml.sax.saxutils import escape

LEFT, TOP, BAR, GAP, WIDTH = 150, 60, 16, 14, 520
COLOURS = ("#7f8c8d", "#1f6fb2", "#d98e04", "#a23b72", "#4c956c", "#5b5f97", "#c0392b", "#17a2a2")


def svg(width, height, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="12">')  # fmt: skip
    paper = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, paper, *parts, "</svg>"]) + "\n"


def text(x, y, words, attributes=""):
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(words)}</text>'


# ---- bars


def chart(title, groups):
    """groups: {label: {name: number}}. One group of bars for each label, one colour for each name."""
    names = list(next(iter(groups.values())))
    longest = max(number for bars in groups.values() for number in bars.values())
    scale = WIDTH / longest
    height = TOP + len(groups) * (len(names) * BAR + GAP) + GAP
    out = [text(10, 20, title, ' font-size="15"')]
    step = min(120, (LEFT + WIDTH + 50) // len(names))
    for index, name in enumerate(names):
        x = 10 + step * index
        out.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{COLOURS[index]}"/>')
        out.append(text(x + 17, 42, name))
    y = TOP
    for label, bars in groups.items():
        middle = y + len(names) * BAR / 2 + 4
        out.append(text(LEFT - 10, middle, label, ' text-anchor="end"'))
        for index, name in enumerate(names):
            width = bars[name] * scale
            out.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" '
                       f'fill="{COLOURS[index]}"/>')  # fmt: skip
            out.append(text(round(LEFT + width + 5, 1), y + BAR - 4, f"{bars[name]:.2f}"))
            y += BAR
        y += GAP
    return svg(LEFT + WIDTH + 60, height, out)


# ---- lines over time

PANEL, PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 420, 66, 400, 44, 180
LEGEND_ROW, LETTER = 17, 7.5  # a letter is about so wide at most
# What an axis shows: the sizes it may have, the largest first, and what is written behind a number.
SCALES = {
    "reqps": ((1, "/s"),),
    "s": ((86400, " d"), (1, " s"), (1e-3, " ms"), (1e-6, " µs")),
    "bytes": ((1 << 20, " MiB"), (1 << 10, " KiB"), (1, " B")),
    "percentunit": ((0.01, " %"),),
}
PLAIN = ((1, ""),)


def scale_of(unit, largest):
    """(size, suffix) in which this number is best said."""
    scales = SCALES.get(unit, PLAIN)
    return next((each for each in scales if largest >= each[0]), scales[-1])


def said(number, unit):
    """A number for a person: 2.5 ms."""
    size, suffix = scale_of(unit, number)
    return f"{float(f'{number / size:.3g}'):g}{suffix}"


def ticks(largest):
    """Up to six round numbers from 0 to the largest or more."""
    if largest == 0:
        return [0, 1]
    power = 10 ** math.floor(math.log10(largest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= largest / 5.005)
    return [step * index for index in range(math.ceil(largest / step * 0.999) + 1)]


def lines(title, unit, series, seconds, marks):
    """A line for each of series, {name: [(second, number), ...]}, over the first so many seconds;
    marks, {letter: second}, are upright lines. Where a line has no number (NaN), or none for twice
    its usual time, it is broken."""
    largest = max((y for line in series.values() for _, y in line if y == y), default=0)
    size, suffix = scale_of(unit, largest)
    levels = ticks(largest / size)
    across = lambda second: PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * second / seconds
    up = lambda number: PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * number / size / levels[-1]
    out = [text(10, 20, title, ' font-size="14" font-weight="bold"')]
    for level in levels:
        y = round(up(level * size), 1)
        out.append(f'<path d="M{PLOT_LEFT} {y:g}H{PLOT_RIGHT}" stroke="#dddddd"/>')
        out.append(text(PLOT_LEFT - 6, y + 4, f"{level:g}{suffix}", ' text-anchor="end"'))
    for second in range(0, int(seconds) + 1, 30):
        out.append(text(across(second), PLOT_BOTTOM + 16, f"{second} s", ' text-anchor="middle"'))
    for letter, second in marks.items():
        x = round(across(second), 1)
        out.append(f'<path d="M{x:g} {PLOT_TOP}V{PLOT_BOTTOM}" stroke="#888888" '
                   'stroke-dasharray="3 3"/>')  # fmt: skip
        out.append(text(x, PLOT_TOP - 4, letter, ' text-anchor="middle" fill="#555555"'))
    for colour, line in zip(itertools.cycle(COLOURS[1:]), series.values()):
        path = path_of([(across(x), up(y)) for x, y in line])
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    rows = legend(list(series), PLOT_BOTTOM + 38)
    return svg(PANEL, rows[0], out + rows[1])


def path_of(points):
    """Points as a path, without those on the way between two of the same height."""
    usual = min((b[0] - a[0] for a, b in itertools.pairwise(points)), default=0)
    words, before = [], None
    for index, (x, y) in enumerate(points):
        if y != y:
            before = None
            continue
        broken = before is None or x - before > 2 * usual + 0.01
        around = points[index - 1 : index + 2]
        if broken or len(around) < 3 or not y == around[0][1] == around[2][1]:
            words.append(f"{'M' if broken else 'L'}{x:.1f} {y:.1f}")
        before = x
    return "".join(words)


def legend(names, y):
    """(height that the picture needs, parts): names with their colours, row after row."""
    x, out = 10, []
    for colour, name in zip(itertools.cycle(COLOURS[1:]), names):
        width = 17 + LETTER * len(name) + 16
        if x + width > PANEL and x > 10:
            x, y = 10, y + LEGEND_ROW
        out.append(f'<rect x="{x:g}" y="{y - 9}" width="12" height="10" fill="{colour}"/>')
        out.append(text(x + 17, y, name))
        x += width
    return y + 10, out


# ---- a single figure


def figure(title, words):
    parts = [
        text(10, 20, title, ' font-weight="bold"'),
        text(10, 58, words, ' font-size="28" fill="#1f6fb2"'),
    ]
    return svg(206, 76, parts)
