# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus beside a daemon, what it is asked, and what is shipped for it: alerts and board."""

import json
import re
import socket
import typing
import urllib.parse

from client import DEADLINE, eventually
from harness import REPOSITORY, Process

METRICS_PORT = 9732
PROMETHEUS_PORT = 9090
MONITORING = REPOSITORY / "forwarder" / "monitoring"
ALERTS = MONITORING / "alerts.yml"
BOARD = MONITORING / "board.json"


def connect(site, port):
    with site.server:
        return socket.create_connection(("127.0.0.1", port), DEADLINE)


def http(site, port, request):
    """The response to these octets, until the connection ends: (status line and headers, body)."""
    with connect(site, port) as connection:
        connection.sendall(request)
        octets = b""
        while part := connection.recv(65536):
            octets += part
    head, _, body = octets.partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def samples(text):
    """{(name, labels as text): value} of the exposition format."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            assert (name, labels or "") not in found, line
            found[name, labels or ""] = float(value)
    return found


class Panel(typing.NamedTuple):
    title: str
    kind: str  # timeseries, stat
    targets: list  # (expression, legend) of each
    unit: str
    words: dict  # in place of numbers: {"1": "yes"}


def panels(rate_interval="1m"):
    """Each Panel of the board that asks something, with what Grafana puts in for its variables."""
    for panel in json.loads(BOARD.read_text())["panels"]:
        targets = [
            (
                each["expr"].replace("$__rate_interval", rate_interval).replace("$instance", ".*"),
                each["legendFormat"],
            )
            for each in panel.get("targets", ())
        ]
        if targets:
            field = panel["fieldConfig"]["defaults"]
            words = {
                number: word["text"]
                for mapping in field.get("mappings", ())
                for number, word in mapping["options"].items()
            }
            yield Panel(panel["title"], panel["type"], targets, field["unit"], words)


class Prometheus(Process):
    """Scrapes as often as `interval` says, and judges the alerts as often."""

    name = "prometheus"

    def __init__(self, site, interval="500ms"):
        super().__init__(site)
        (self.folder / "prometheus.yml").write_text(
            f"""\
global:
  scrape_interval: {interval}
  scrape_timeout: {interval}
  evaluation_interval: {interval}
rule_files: [{ALERTS}]
scrape_configs:
  - job_name: bailiwick
    static_configs: [{{targets: ["127.0.0.1:{METRICS_PORT}"]}}]
"""
        )
        self.launch(
            "prometheus",
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}",
        )
        eventually(self._is_ready, lambda: f"{self.name} is ready\n{self.log_tail()}")

    def _is_ready(self):
        self.check_alive()
        try:
            return "200" in self._get("/-/ready")[0].splitlines()[0]
        except ConnectionRefusedError:
            return False

    def _get(self, path):
        request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        return http(self.site, PROMETHEUS_PORT, request.encode())

    def ask(self, what, **parameters):
        """The data of its HTTP API; fails if it refuses."""
        head, body = self._get(f"/api/v1/{what}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(body)
        if answer["status"] != "success":
            raise AssertionError(f"{parameters}: {body}")
        return answer["data"]

    def value(self, expression):
        """Of an expression that has one; None if it has none yet."""
        result = self.ask("query", query=expression)["result"]
        return float(result[0]["value"][1]) if result else None
