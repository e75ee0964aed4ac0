# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to the daemon, one thing after the other, while it is asked. README.md tells what is
right meanwhile and what is a cause; here it is done. Each phase is a function of the world and of
left(): is there time for one more turn? Each makes at least one, and leaves the world as it was.
"""

import datetime
import itertools
import os
import random
import resource
import signal
import time

from client import eventually
from dnsbytes import NOERROR, parse, query
from harness import SERVER4, yaml_text
from players import (
    ALWAYS, CHANGING, COURTS, FORWARDED, LOST_MS, OTHERWISE, SANITIZED, SERVFAIL_AFTER_MS, TIMED, database,
)  # fmt: skip
from policytest import order

CHANGING_ORDER = order("SOAK-CHANGING", names=["changing.test"])
OTHER_ORDER = {**CHANGING_ORDER, "authority": COURTS}
RETRY_AFTER = 0.3
SPARED = 64  # descriptors that clients never get (forwarder/descriptors.h)
ROOM = 40  # for connections, beyond those
FEW = 16  # fewer than it has open: there is no new one
SPARE_MEMORY = 2 << 20
CROWD = 300  # connections that want them
BIG_LIST = 100_000 if SANITIZED else 600_000  # names
BIG_OCTETS = 10 << 20  # of memory that they need, at least
BIG_TURNS = 3  # what an allocator keeps, it keeps from one turn to the next


def wait(seconds):
    """Lets the load go on."""
    time.sleep(seconds)


def calm(world, left):
    """Nothing happens."""
    while True:
        wait(0.5)
        if not left():
            return


def asker(world, _left):
    """The asker itself is tried: it must see lies that nobody in between could, blocks where none
    belong and none where they do, and silence. What it counts here counts for nothing else."""
    one, other = world.resolvers
    world.asker.tell("ask", "yes")
    for resolver in world.resolvers:
        resolver.tell("lie", "data")
    seen(world, "wrong", "forged data")
    for resolver in world.resolvers:
        resolver.tell("honest")
    for group, verdict in (("always", FORWARDED), ("free", ALWAYS)):
        with world.mistaken(group, verdict):
            seen(world, "wrong", f"{group} as if {verdict}")
    world.asker.tell("lost", 300)
    one.signal(signal.SIGSTOP)
    other.signal(signal.SIGSTOP)
    seen(world, "lost", "silence")
    one.signal(signal.SIGCONT)
    other.signal(signal.SIGCONT)
    eventually(world.all_up, "both resolvers are up again")
    world.asker.tell("ask", "no")
    wait(SERVFAIL_AFTER_MS / 1000 + 0.5)  # what was given up is still answered
    world.asker.tell("lost", LOST_MS)
    world.asker.tell("ask", "yes")


def seen(world, kind, what):
    """More failures of that kind are counted, and after a while no more of what went before."""
    count = lambda: world.asker.failures()[kind == "lost"]
    wait(0.2)
    before = count()
    eventually(lambda: count() > before, f"the asker sees {what}")


def restarts(world, left):
    """Stopped and started again by a manager that keeps its sockets: no datagram is lost, and a
    connection ends with its answers out, or with queries that were never read."""
    while True:
        with world.allows("x"):
            world.daemon.end()
            world.daemon.start()
            reconnected(world)
        wait(0.5)
        if not left():
            return


def reconnected(world):
    """Until every row is answered again."""
    before = world.asker.answers()
    more = lambda: all(now > then for now, then in zip(world.asker.answers(), before))
    eventually(more, lambda: f"answers by every row\n{rows_without(world, before)}")


def rows_without(world, before):
    now = world.asker.answers()
    return [row for row, then, count in zip(world.rows, before, now) if count == then]


# ---- files ---------------------------------------------------------------------------------------


def orders(world, left):
    """Added, edited by hand and half-written, mended, suspended, resumed, lifted, removed."""
    daemon = world.daemon
    path = daemon.folder / "orders/IT/changing.yaml"
    text = yaml_text(CHANGING_ORDER)
    tool = lambda *words: run_tool(daemon, "order", *words)
    while True:
        with world.changes("changing", CHANGING):
            daemon.write_order("IT/changing.yaml", CHANGING_ORDER)
            world.reload()
        path.write_text(text[: text.index("[chan") + 3])  # as an editor that was killed leaves it
        said = world.reload(good=False)
        assert "changing.yaml:" in said, said
        with world.changes("changing", OTHERWISE):
            path.write_text(yaml_text(OTHER_ORDER))
            world.reload()
        with world.changes("changing", FORWARDED):
            tool("suspend", "SOAK-CHANGING", "--reason", "an appeal")
        with world.changes("changing", OTHERWISE):
            tool("resume", "SOAK-CHANGING", "--reason", "dismissed")
        tool("add", "SOAK-CHANGING", "another.test")
        with world.changes("changing", FORWARDED):
            daemon.remove_order("IT/changing.yaml")
            world.reload()
        if not left():
            return


def run_tool(daemon, *words):
    done = daemon.tool(*words)
    assert done.returncode == 0, (words, done.stdout, done.stderr)


def countries(world, left):
    """The database replaced, copied over in place, cut and spoilt: clients move, or nothing."""
    daemon = world.daemon
    path = daemon.folder / "country.mmdb"
    chance = random.Random(1)
    while True:
        with world.changes("mover", ALWAYS):
            daemon.write("country.mmdb", database(moved=True))
            world.reload()
        for spoil in (
            lambda: os.truncate(path, path.stat().st_size // 2),
            lambda: daemon.write("country.mmdb", chance.randbytes(10_000)),
            lambda: path.unlink(),
        ):
            spoil()
            world.reload(good=False)
        with world.changes("mover", FORWARDED):
            path.write_bytes(database(moved=False))
            world.reload()
        if not left():
            return


# ---- resolvers -----------------------------------------------------------------------------------


def killed(world, left):
    """One of the two, by turns: the other one has it all."""
    while True:
        for resolver in world.resolvers:
            resolver.kill()
            wait(0.7)
            resolver.start()
            eventually(world.all_up, "the resolver is up again")
            # What asked the first in its last instant must find the other one alive.
            wait(2 * RETRY_AFTER)
        if not left():
            return


def stopped(world, left):
    """One of the two stands still. Datagrams go to the other one; what waits on a connection to
    the one that stands ends in SERVFAIL."""
    while True:
        for resolver in world.resolvers:
            with world.allows("s"):
                resolver.signal(signal.SIGSTOP)
                wait(1)
                resolver.signal(signal.SIGCONT)
                eventually(world.all_up, "the resolver is up again")
        if not left():
            return


def all_stopped(world, left):
    """Both: every forwarded query ends in SERVFAIL, in time; blocked ones do not care."""
    while True:
        with world.allows("s", udp="s"):
            for resolver in world.resolvers:
                resolver.signal(signal.SIGSTOP)
            wait(SERVFAIL_AFTER_MS / 1000 + 0.5)
            for resolver in world.resolvers:
                resolver.signal(signal.SIGCONT)
            eventually(world.all_up, "both resolvers are up again")
        if not left():
            return


def slow(world, left):
    """First a little, then so much that the next server is asked too and both answer."""
    while True:
        for ms in (150, 700):
            for resolver in world.resolvers:
                resolver.tell("slow", ms)
            wait(1.5)
        for resolver in world.resolvers:
            resolver.tell("honest")
        eventually(world.all_up, "both resolvers are up again")
        if not left():
            return


def lying(world, left):
    """Both send a lie before each truth; then one sends nothing but lies by UDP."""
    one, other = world.resolvers
    while True:
        for how in ("id", "question", "port", "address"):
            for resolver in world.resolvers:
                resolver.tell("lie", how)
            wait(0.4)
            other.tell("honest")
            one.tell("lie", how, "only")
            wait(0.4)
        one.tell("honest")
        eventually(world.all_up, "both resolvers are up again")
        if not left():
            return


def truncating(world, left):
    """Every second answer by UDP is cut, and goes on so; by TCP it is whole."""
    with world.allows("", udp="c"):
        for resolver in world.resolvers:
            resolver.tell("cut")
        while True:
            wait(1)
            if not left():
                break
        for resolver in world.resolvers:
            resolver.tell("honest")


# ---- what runs out -------------------------------------------------------------------------------


def starved(world, left):
    """Memory: a reload that would need more than there is fails, and serving goes on. Then there is
    no more at all, while others connect: connections may not come up or end, datagrams are served.
    With memory again, that reload succeeds."""
    daemon = world.daemon
    names = "".join(f"{number:x}.big.test\n" for number in range(BIG_LIST))
    listed = order("SOAK-BIG", lists=[{"file": "../../big.txt", "format": "names"}])
    daemon.write("big.txt", names)
    for turn in itertools.count(1):
        if not SANITIZED:  # which end when there is no more
            daemon.limit(data=daemon.data() + SPARE_MEMORY)
            daemon.write_order("IT/big.yaml", listed)
            said = world.reload(good=False)
            assert "memory" in said, said
            with world.allows("xs"):
                daemon.limit(data=0)
                crowd = gather(world, CROWD)
                daemon.signal(signal.SIGHUP)
                wait(0.5)
                for stream in crowd:
                    stream.close()
                daemon.limit(data=None)
                reconnected(world)
        daemon.write_order("IT/big.yaml", listed)
        world.reload()
        most = daemon.data()
        daemon.remove_order("IT/big.yaml")
        world.reload()
        if not SANITIZED:
            eventually(lambda: daemon.data() < most - BIG_OCTETS, "the list's memory is given back")
        if turn >= BIG_TURNS and not left():
            return


def descriptors(world, left):
    """More connections than descriptors: those that are there go on, datagrams anyway, and reloads
    have descriptors spared for them. Then there is not one: a reload fails. Afterwards new
    connections are taken again."""
    daemon = world.daemon
    while True:
        with world.allows("x"):
            daemon.limit(nofile=daemon.descriptors_in_use() + SPARED + ROOM)
            paused = count_in_log(daemon, "accept paused")
            crowd = gather(world, CROWD)
            wait(0.7)
            assert count_in_log(daemon, "accept paused") > paused, "there were enough descriptors"
            world.reload()
            for stream in crowd:
                stream.close()
            daemon.limit(nofile=FEW)
            problems = count_in_log(daemon, "error ")
            daemon.signal(signal.SIGHUP)
            eventually(lambda: count_in_log(daemon, "error ") > problems, "a reload that fails")
            wait(0.3)
            daemon.limit(nofile=None)
            world.reload()
            reconnected(world)
            ask_by_new_connection(world)
        if not left():
            return


def count_in_log(daemon, text):
    return daemon.log().count(text)


def gather(world, count):
    """Connections from addresses all over Germany; what is refused is refused."""
    crowd = []
    for number in range(count):
        client = world.site.client(f"5.9.{100 + number // 50}.{number % 50 + 1}")
        try:
            crowd.append(client.tcp((SERVER4, 53)))
        except OSError:
            break
    return crowd


def ask_by_new_connection(world):
    answer = parse(world.site.client("5.9.0.7").ask(query("new.free.test"), "tcp"))
    assert answer.rcode == NOERROR, answer


def disk(world, left):
    """The file system of `state` is full: orders change all the same, only nothing is kept."""
    daemon = world.daemon
    filler = daemon.folder / "state/filler"
    while True:
        eventually(lambda: is_kept(daemon), "what is in force is kept")
        fill(filler)
        with world.changes("changing", CHANGING):
            daemon.write_order("IT/changing.yaml", CHANGING_ORDER)
            world.reload()
        wait(0.5)
        assert not is_kept(daemon), "kept on a full disk"
        with world.changes("changing", FORWARDED):
            daemon.remove_order("IT/changing.yaml")
            world.reload()
        filler.unlink()
        world.reload()
        eventually(lambda: is_kept(daemon), "what is in force is kept again")
        if not left():
            return


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def is_kept(daemon):
    status = daemon.status()
    return status["kept"] == status["generation"]


# ---- time ----------------------------------------------------------------------------------------


def clock(world, left):
    """The wall clock steps over the beginning and the end of an order, both ways, and then runs
    over them by itself."""
    while True:
        begin = int(time.time()) + 600
        daemon_order = order(
            "SOAK-TIMED", names=["timed.test"], effective=instant(begin), until=instant(begin + 600)
        )
        world.daemon.write_order("IT/timed.yaml", daemon_order)
        world.reload()
        for offset, verdict in ((900, TIMED), (1800, FORWARDED), (900, TIMED), (-3600, FORWARDED)):
            with world.changes("timed", verdict):
                world.clock.set(offset)
                wait(0.1)  # a batch that was read before keeps its instant
            wait(0.2)
        for instant_of_change, verdict in ((begin, TIMED), (begin + 600, FORWARDED)):
            with world.changes("timed", verdict):
                world.clock.set(round(instant_of_change - 1 - time.time()))
                while world.clock.now() < instant_of_change + 0.1:
                    wait(0.05)
            wait(0.2)
        world.clock.set(0)
        world.daemon.remove_order("IT/timed.yaml")
        world.reload()
        if not left():
            return


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


# ---- together ------------------------------------------------------------------------------------


def together(world, left):
    """Orders change while resolvers are slow, lie, and are killed."""
    one, other = world.resolvers
    for mischief in (
        lambda: one.tell("slow", 100),
        lambda: other.tell("lie", "id"),
        lambda: one.kill(),
    ):
        mischief()
        orders(world, lambda: False)
    one.start()
    other.tell("honest")
    eventually(world.all_up, "both resolvers are up again")
    while left():
        orders(world, lambda: False)
        countries(world, lambda: False)


# (name, phase, share of the time). Restarts come before what is measured over the life of one
# process; calm is where its memory is compared.
TRIED = "the asker tried"
FIRST = ((TRIED, asker, 0), ("calm", calm, 1), ("restarts", restarts, 2))
ROUND = (
    ("calm", calm, 1),
    ("orders", orders, 2),
    ("countries", countries, 1),
    ("resolver killed", killed, 1),
    ("resolver stopped", stopped, 1),
    ("all stopped", all_stopped, 1),
    ("slow", slow, 1),
    ("lying", lying, 1),
    ("truncating", truncating, 1),
    ("starved", starved, 1),
    ("descriptors", descriptors, 1),
    ("disk full", disk, 1),
    ("clock", clock, 1),
    ("together", together, 2),
)
LAST = (("calm", calm, 1),)
