# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to the daemon, one thing after the other, while it is asked. README.md tells what is
right meanwhile and what is a cause; here it is done. Each phase is a function of the world and of
left(): is there time for one more turn? Each makes at least one, and leaves the world as it was.
"""

import datetime
import itertools
import os
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
SPARED = 64  # descriptors that clients never get (forwarder/descriptors.h)
ROOM = 40  # for connections, beyond those
FEW = 16  # fewer than it has open: there is no new one
SPARE_MEMORY = 2 << 20
BEFORE_ALL = -30 * 365 * 86400  # seconds: long before anything here was made
ROOM_ON_DISK = 1 << 20
FILLINGS = 5  # until it is full
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
    world.wait_until_up()
    world.asker.tell("ask", "no")
    wait(SERVFAIL_AFTER_MS / 1000 + 0.5)  # what was given up is still answered
    world.asker.tell("lost", LOST_MS)
    world.asker.tell("ask", "yes")


def seen(world, kind, what):
    """More failures of that kind are counted, and after a while no more of what went before."""
    count = lambda: world.asker.so_far(kind)
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
    whole = text.index("]")
    tool = lambda *words: run_tool(daemon, "order", *words)
    while True:
        with world.changes("changing", CHANGING):
            daemon.write_order("IT/changing.yaml", CHANGING_ORDER)
            world.reload()
        path.write_text(text[: world.chance.randrange(whole)])  # an editor was killed
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
    chance = world.chance
    while True:
        with world.changes("mover", ALWAYS):
            daemon.write("country.mmdb", database(moved=True))
            world.reload()
        for spoil in (
            lambda: os.truncate(path, chance.randrange(path.stat().st_size)),
            lambda: daemon.write("country.mmdb", chance.randbytes(chance.randrange(20_000))),
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


LIES = ("id", "question", "qr", "short", "port", "address")


def shuffled(world, all_of_them):
    return world.chance.sample(all_of_them, len(all_of_them))


def kill_for(world, resolver, seconds):
    """At most for so long. What was asked in its last instant must find the other one alive."""
    with world.allows("", transfers="x"):
        resolver.kill()
        wait(world.chance.uniform(0.1, seconds))
        resolver.start()
        world.wait_until_up()
        world.asker.drain()


def killed(world, left):
    """One of the two, by turns: the other one has it all."""
    while True:
        for resolver in shuffled(world, world.resolvers):
            kill_for(world, resolver, 1.2)
        if not left():
            return


def stopped(world, left):
    """One of the two stands still. Datagrams go to the other one; what waits on a connection to
    the one that stands ends in SERVFAIL."""
    while True:
        for resolver in shuffled(world, world.resolvers):
            with world.allows("s"):
                resolver.signal(signal.SIGSTOP)
                wait(world.chance.uniform(0.2, 1.8))
                resolver.signal(signal.SIGCONT)
                world.wait_until_up()
        if not left():
            return


def all_stopped(world, left):
    """Both: every forwarded query ends in SERVFAIL, in time; blocked ones do not care."""
    while True:
        with world.allows("s", udp="s"):
            before = world.asker.so_far("servfail")
            for resolver in shuffled(world, world.resolvers):
                resolver.signal(signal.SIGSTOP)
            wait(SERVFAIL_AFTER_MS / 1000 + 0.5)
            eventually(lambda: world.asker.so_far("servfail") > before, "SERVFAIL")
            for resolver in shuffled(world, world.resolvers):
                resolver.signal(signal.SIGCONT)
            world.wait_until_up()
        if not left():
            return


def all_killed(world, left):
    """Both, one just after the other, and started again: what comes meanwhile ends in SERVFAIL."""
    while True:
        with world.allows("s", udp="s", transfers="x"):
            before = world.asker.so_far("servfail")
            for resolver in shuffled(world, world.resolvers):
                resolver.kill()
            eventually(lambda: world.asker.so_far("servfail") > before, "SERVFAIL")
            wait(world.chance.uniform(0.1, 1))
            for resolver in shuffled(world, world.resolvers):
                resolver.start()
            world.wait_until_up()
        if not left():
            return


def encrypted(world, left):
    """Both are asked by TLS, and are killed and break off there as elsewhere: nothing is lost on the
    way there, nor on the way back."""
    while True:
        world.ask_by("tls")
        before = [each.encrypted() for each in world.resolvers]
        more = lambda: all(each.encrypted() > then for each, then in zip(world.resolvers, before))
        eventually(more, "queries by TLS")
        break_off(world)
        kill_for(world, world.chance.choice(world.resolvers), 0.5)
        world.ask_by("dns")
        if not left():
            return


def slow(world, left):
    """First a little, then so much that the next server is asked too and both answer."""
    while True:
        for fewest, most in ((20, 250), (350, 1000)):
            for resolver in world.resolvers:
                resolver.tell("slow", world.chance.randint(fewest, most))
            wait(1.5)
        for resolver in world.resolvers:
            resolver.tell("honest")
        world.wait_until_up()
        if not left():
            return


def lying(world, left):
    """Both send a lie before each truth; then one sends nothing but lies by UDP."""
    while True:
        one, other = shuffled(world, world.resolvers)
        for how in shuffled(world, LIES):
            for resolver in world.resolvers:
                resolver.tell("lie", how)
            wait(0.4)
            other.tell("honest")
            one.tell("lie", how, "only")
            wait(0.4)
        one.tell("honest")
        world.wait_until_up()
        if not left():
            return


def truncating(world, left):
    """Every second answer by UDP is cut, and goes on so; by TCP it is whole."""
    before = world.asker.so_far("cut")
    with world.allows("", udp="c"):
        for resolver in world.resolvers:
            resolver.tell("cut")
        while True:
            wait(1)
            if not left():
                break
        for resolver in world.resolvers:
            resolver.tell("honest")
    assert world.asker.so_far("cut") > before, "no answer was cut"


def breaking(world, left):
    """Connections to the resolvers end in the middle of an answer, in order or by a reset: what
    waits there is asked again."""
    while True:
        break_off(world)
        if not left():
            return


def break_off(world):
    """Each of both at least one connection. Of a transfer, what is not there yet is lost with it."""
    with world.allows("", transfers="x"):
        for resolver in shuffled(world, world.resolvers):
            before = resolver.broken()
            resolver.tell("break")
            eventually(lambda: resolver.broken() > before, "a connection is broken off")
        wait(0.5)
        for resolver in world.resolvers:
            resolver.tell("honest")
        world.wait_until_up()
        world.asker.drain()


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
        with world.allows("x", transfers="s"):
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
        world.limit_state(ROOM_ON_DISK)
        for number in range(FILLINGS):
            fill(filler)
            with world.changes("changing", CHANGING):
                daemon.write_order("IT/changing.yaml", {**CHANGING_ORDER, "title": f"{number}"})
                world.reload()
            eventually(lambda: is_kept(daemon) or misses_room(daemon), "kept, or it says why not")
            if misses_room(daemon):
                break  # a journal that was there may be gone, and have left some room
        else:
            raise AssertionError("kept on a full disk")
        with world.changes("changing", FORWARDED):
            daemon.remove_order("IT/changing.yaml")
            world.reload()
        filler.unlink()
        world.limit_state()
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


def misses_room(daemon):
    warnings = daemon.status()["warnings"]
    return any("could not be kept: cannot write: No space" in each["warning"] for each in warnings)


def is_kept(daemon):
    status = daemon.status()
    return status["kept"] == status["generation"]


# ---- time ----------------------------------------------------------------------------------------


def clock(world, left):
    """The wall clock steps over the beginning and the end of an order, both ways, and then runs
    over them by itself. To a time before the program was made it steps in vain."""
    while True:
        begin = int(time.time()) + 600
        end = begin + 600
        timed = order(
            "SOAK-TIMED", names=["timed.test"], effective=instant(begin), until=instant(end)
        )
        world.daemon.write_order("IT/timed.yaml", timed)
        world.reload()
        steps = [(900, TIMED), (1800, FORWARDED), (-3600, FORWARDED), (0, FORWARDED)]
        for offset, verdict in [*shuffled(world, steps), (900, TIMED), (BEFORE_ALL, TIMED)]:
            with world.changes("timed", verdict):
                world.clock.set(offset)
                world.asker.drain()  # a batch that was read before keeps its instant
            wait(0.2)
        run_over(world, begin, FORWARDED, TIMED)
        run_over(world, end, TIMED, FORWARDED)
        world.clock.set(0)
        world.daemon.remove_order("IT/timed.yaml")
        world.reload()
        if not left():
            return


def run_over(world, change, before, after):
    """The clock is set to just before that instant, and goes on."""
    with world.changes("timed", before):
        for lead in itertools.count(2):
            world.clock.set(round(change - lead - time.time()))
            world.asker.drain()
            if world.clock.now() < change - 0.5:
                break  # it was not so late as to be over already
    with world.changes("timed", after):
        while world.clock.now() < change:
            wait(0.05)
        world.asker.drain()
    wait(0.2)


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


# ---- together ------------------------------------------------------------------------------------


MISCHIEF = (("slow", 100), ("break",), *(("lie", how) for how in LIES))


def together(world, left):
    """Orders and countries change while resolvers are slow, lie, break off and are killed."""
    while True:
        one, other = shuffled(world, world.resolvers)
        with world.allows("", transfers="x"):
            for resolver, mischief in zip((one, other), world.chance.sample(MISCHIEF, 2)):
                resolver.tell(*mischief)
            change(world)
            one.kill()
            change(world)
            one.start()
            other.tell("honest")
            world.wait_until_up()
            world.asker.drain()  # before the other one may be killed
        if not left():
            return


def change(world):
    for phase in shuffled(world, (orders, countries)):
        phase(world, lambda: False)


# (name, phase, share of the time). Restarts come before what is measured over the life of one
# process; calm is where its memory is compared. A round is another order of the same.
TRIED = "the asker tried"
FIRST = ((TRIED, asker, 0), ("calm", calm, 1), ("restarts", restarts, 2))
CALM = ("calm", calm, 1)
ROUND = (
    ("orders", orders, 2),
    ("countries", countries, 1),
    ("resolver killed", killed, 1),
    ("resolver stopped", stopped, 1),
    ("all killed", all_killed, 1),
    ("all stopped", all_stopped, 1),
    ("slow", slow, 1),
    ("encrypted", encrypted, 1),
    ("lying", lying, 1),
    ("truncating", truncating, 1),
    ("breaking", breaking, 1),
    ("starved", starved, 1),
    ("descriptors", descriptors, 1),
    ("disk full", disk, 1),
    ("clock", clock, 1),
    ("together", together, 2),
)


def plan(chance, rounds):
    made = [*FIRST]
    for _ in range(rounds):
        made += [CALM, *chance.sample(ROUND, len(ROUND))]
    return [*made, CALM]
