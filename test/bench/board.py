# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels of forwarder/monitoring/board.json as pictures, of what Prometheus answered to their
own expressions. What Grafana makes of a panel, as far as paper goes: it asks nobody and runs
nothing."""

import re

from chart import figure, lines, said


def picture_name(panel):
    """queries-by-transport.svg"""
    return re.sub(r"[^a-z0-9]+", "-", panel.title.lower()).strip("-") + ".svg"


def legend_of(pattern, labels):
    """"{{server}} up" of a series with these labels; without a pattern, all of them."""
    if not pattern:
        return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), pattern)


def picture(panel, answers, start, seconds, marks):
    """answers: the result of each target, of query_range for lines (from `start`, a Unix time), of
    query for a single figure."""
    if panel.kind == "stat":
        number = float(answers[0][0]["value"][1])
        return figure(panel.title, panel.words.get(f"{number:g}") or said(number, panel.unit))
    series = {}
    for (_, pattern), answer in zip(panel.targets, answers):
        for each in answer:
            points = [(float(time) - start, float(value)) for time, value in each["values"]]
            series[legend_of(pattern, each["metric"])] = points
    return lines(panel.title, panel.unit, series, seconds, marks)
