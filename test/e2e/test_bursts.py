# SPDX-License-Identifier: GPL-3.0-or-later
"""Many queries at once: answers that leave joined arrive one by one, at the port that asked, from the
address that was asked, each with the octets that it has when it is asked for alone."""

import contextlib
import signal

from dnsbytes import REFUSED, message_id, opt, parse, query
from harness import (
    GERMAN4, GERMAN6, ITALIAN4, ITALIAN6, MILAN, SERVER4, SERVER4_OTHER, SERVER6, SERVER6_OTHER,
    SiteTest,
)
from policytest import marked

LISTED = MILAN["names"][0]
ANYWHERE = 5353  # port of the wildcard listeners
BURST = 50


def queries(count):
    """Of many sizes, some for a blocked name, some with an OPT; each has an ID of its own."""
    for number in range(count):
        parent = LISTED if number % 2 else "free.example"
        qname = f"{'x' * (1 + number * 7 % 20)}.{parent}"
        yield query(qname, id=number, opt=opt() if number % 3 else None)


class Bursts(SiteTest):
    def setUp(self):
        listen = [{"address": address, "port": 53} for address in (SERVER4, SERVER6)]
        listen += [{"address": address, "port": ANYWHERE} for address in ("0.0.0.0", "::")]
        self.proxy = self.daemon(
            self.upstream(script=marked), orders={"IT/milan.yaml": MILAN},
            config={"workers": 1, "listen": listen},
        )  # fmt: skip

    def assert_each_gets_its_own(self, *askers):
        """askers: (address of the client, server, how many queries), each at a port of its own. All
        queries wait in the daemon's sockets before it reads the first."""
        expected = [
            {message_id(each): self.client(address).ask(each, server=server)
             for each in queries(count)}
            for address, server, count in askers
        ]  # fmt: skip
        before = self.proxy.status()
        with contextlib.ExitStack() as stack:
            channels = [
                stack.enter_context(self.client(address).udp(server))
                for address, server, _ in askers
            ]
            self.proxy.signal(signal.SIGSTOP)
            for each in zip(*(queries(BURST) for _ in askers)):
                for channel, message, (_, _, count) in zip(channels, each, askers):
                    if message_id(message) < count:
                        channel.send(message)
            self.proxy.signal(signal.SIGCONT)
            for channel, answers in zip(channels, expected):
                received = [channel.receive() for _ in answers]
                self.assertEqual({message_id(each): each for each in received}, answers)
            for channel in channels:
                self.assertTrue(channel.is_silent(0.001))
        self.assertEqual(self.proxy.status()["dropped"], before["dropped"])
        return expected

    def test_from_few_ports_of_many(self):
        for italian, german, servers in (
            (ITALIAN4, GERMAN4, [(SERVER4, 53)] * 2),
            (ITALIAN4, GERMAN4, [(SERVER4, ANYWHERE), (SERVER4_OTHER, ANYWHERE)]),
            (ITALIAN6, GERMAN6, [(SERVER6, 53)] * 2),
            (ITALIAN6, GERMAN6, [(SERVER6, ANYWHERE), (SERVER6_OTHER, ANYWHERE)]),
        ):
            with self.subTest(italian, servers=servers):
                first, second = servers
                answers, others, *_ = self.assert_each_gets_its_own(
                    (italian, first, BURST), (german, first, BURST), (italian, second, 20),
                    *((german, second, 1 + number % 3) for number in range(20)),
                )  # fmt: skip
                blocked = [parse(each).rcode == REFUSED for each in answers.values()]
                self.assertEqual(blocked, [number % 2 == 1 for number in range(BURST)])
                self.assertFalse(any(parse(each).rcode for each in others.values()))

    def test_from_a_port_for_each(self):
        self.assert_each_gets_its_own(*[(ITALIAN4, (SERVER4, 53), 2)] * 60)
