# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of the board: each panel has one, and one is drawn of what Prometheus answers."""

import sys
import unittest
import xml.etree.ElementTree

from harness import REPOSITORY
from prometheus import MONITORING, panels

sys.path.append(str(REPOSITORY / "test" / "bench"))
from board import picture, picture_name  # noqa: E402

PICTURES = MONITORING / "panels"
START, SECONDS = 1_800_000_000, 60
MARKS = {"a": 20, "b": 40}
# As the HTTP API gives them: a rise, a number that stays, one with a gap and with no number.
SERIES = (
    [[START + second, str(second * 3.5)] for second in range(SECONDS)],
    [[START + second, "2e-4"] for second in range(SECONDS)],
    [[START + second, "NaN" if second == 10 else "7"] for second in (*range(20), *range(30, 60))],
)
LABELS = dict.fromkeys(("transport", "country", "order", "rcode", "server", "instance"), 'a<b & "c"')


def canned(panel):
    """An answer for each of its targets."""
    if panel.kind == "stat":
        return [[{"metric": {}, "value": [START, "1"]}]]
    return [
        [
            {"metric": {**LABELS, "country": str(number)}, "values": values}
            for number, values in enumerate(SERIES)
        ]
        for _ in panel.targets
    ]


def texts(drawn):
    root = xml.etree.ElementTree.fromstring(drawn)
    return [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]


class Pictures(unittest.TestCase):
    def test_each_panel_is_drawn(self):
        for panel in panels():
            with self.subTest(panel=panel.title):
                drawn = picture(panel, canned(panel), START, SECONDS, MARKS)
                self.assertEqual(texts(drawn)[0], panel.title)
                self.assertNotRegex(drawn, r'="[^"]*\b(nan|inf)\b')
                if panel.kind == "stat":
                    self.assertIn(panel.words.get("1", "1"), texts(drawn)[1])
                else:
                    self.assertLessEqual({"a", "b", "0 s", "60 s"}, set(texts(drawn)))

    def test_lines_are_where_numbers_are(self):
        [panel] = [each for each in panels() if each.title == "Queries by country"]
        drawn = picture(panel, canned(panel), START, SECONDS, MARKS)
        root = xml.etree.ElementTree.fromstring(drawn)
        paths = [each.get("d") for each in root.iter() if each.get("stroke-width")]
        self.assertEqual([path.count("M") for path in paths], [1, 1, 3])
        self.assertEqual(paths[1].count("L"), 1)  # a level line needs but its ends
        self.assertIn("250/s", texts(drawn))
        self.assertLessEqual({"0", "1", "2"}, set(texts(drawn)))

    def test_nothing_to_show(self):
        for panel in panels():
            if panel.kind != "stat":
                drawn = picture(panel, [[] for _ in panel.targets], START, SECONDS, {})
                self.assertEqual(texts(drawn)[0], panel.title)

    def test_each_panel_has_a_picture(self):
        named = {picture_name(panel): panel.title for panel in panels()}
        self.assertEqual({path.name for path in PICTURES.iterdir()}, set(named))
        text = (MONITORING / "README.md").read_text()
        for name, title in named.items():
            self.assertEqual(texts((PICTURES / name).read_text())[0], title)
            self.assertIn(f"![{title}](panels/{name})", text)
