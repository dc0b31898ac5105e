"""Requests that somebody else approves, and logins by password: what four eyes cost beside the disk, and a guess beside its hash."""

import hashlib
import itertools
import json
import os
import pwd
import socket
import threading
import time

from measure import Server, best_of, load

APPROVER = "nobody"  # another person than who asks is another Unix user
CLIENTS = 8
COST = 15
GUESSES = 200
PROFILE = "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\napprovals: 1\nleast_role: ra-operator\n"


class RequestServer(Server):
    """One that asks for approvals, and whose people log in by password."""

    def __init__(self, directory):
        super().__init__(directory)
        profiles = directory / "realms" / "default" / "profiles"
        profiles.mkdir(exist_ok=True)
        (profiles / "four.yml").write_text(PROFILE)

    def realm_settings(self):
        return (f"requests: {{open_per_requester: 500}}\nlogins:\n  staff: {{method: password, scrypt_cost: {COST}}}\n"
                "login_limits: {failures: 5, failures_per_peer: 1000, delay: 0s, lockout: 600s}\n")

    def doors(self):
        limits = '  <limits max-workers="64" max-workers-per-uid="64" max-workers-per-realm="64"/>\n'
        return limits + f'  <socket mode="0666"/>\n  <identities><identity user="{APPROVER}" roles="ra-operator"/></identities>'


class Talk:
    def __init__(self, server, user=None):
        self.socket = socket.socket(socket.AF_UNIX)
        if user:
            os.seteuid(pwd.getpwnam(user).pw_uid)  # what SO_PEERCRED says is who connects
        try:
            self.socket.connect(str(server.socket))
        finally:
            if user:
                os.seteuid(0)
        self.lines = self.socket.makefile("rw")
        self.call("session.open", realm="default")

    def reply(self, method, **params):
        self.lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        self.lines.flush()
        return json.loads(self.lines.readline())

    def call(self, method, **params):
        reply = self.reply(method, **params)
        if "result" not in reply:
            raise SystemExit(f"{method}: {reply}")
        return reply["result"]


def requests_per_second(server, clients, seconds):
    """Each client asks, has it approved by somebody else and picks it up, one after the other."""
    csr = server.csr.read_text()
    pairs = [(Talk(server), Talk(server, APPROVER)) for _ in range(clients)]
    end, done = time.monotonic() + seconds, itertools.count()

    def act(asks, approves):
        while time.monotonic() < end:
            made = asks.call("request.create", csr=csr, profile="four")
            approves.call("request.approve", request=made["request"], digest=made["digest"])
            asks.call("request.pickup", request=made["request"])
            next(done)
    threads = [threading.Thread(target=act, args=pair) for pair in pairs]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return next(done) / (time.monotonic() - begin)


def hash_ms():
    """What the hash alone takes of a processor."""
    begin = time.process_time()
    hashlib.scrypt(b"a password of the bench", salt=b"salt of sixteen!", n=1 << COST, r=8, p=1, maxmem=1 << 28)
    return (time.process_time() - begin) * 1000


def logins(table, server, options):
    with_password = {"stack": "staff", "user": "alice", "password": "a password of the bench"}
    Talk(server).call("identity.create", user="alice", roles=["user"], password=with_password["password"])
    talk, times = Talk(server), []
    # What is counted in ticks is counted over many.
    count = max(20, int(100 * options.seconds / 3))
    for _ in range(options.rounds):
        before = server.cpu_seconds()
        for _ in range(count):
            talk.call("session.login", **with_password)
        times.append((server.cpu_seconds() - before) * 1000 / count)
    ours, baseline = min(times), min(hash_ms() for _ in range(5 * options.rounds))
    table.add(f"CPU of session.login by password, scrypt N=2^{COST} r=8 p=1 / the hash alone", f"{ours:.1f} ms", f"{baseline:.1f} ms",
              f"{ours / baseline:.2f}", "at most 1.5")
    before = server.cpu_seconds()
    for number in range(GUESSES):
        if number % 4 == 0:
            talk = Talk(server)  # a connection ends after five failures
        talk.reply("session.login", stack="staff", user="alice", password=f"guess {number}")
    guesses = (server.cpu_seconds() - before) * 1000
    table.add(f"CPU of {GUESSES} wrong passwords for one name, locked after 5 / as many hashes", f"{guesses:.0f} ms", f"{GUESSES * baseline:.0f} ms",
              f"{guesses / (GUESSES * baseline):.2f}", "at most 0.25")


def request_rates(table, options, directory):
    server = RequestServer(directory)
    for place in (directory, directory.parent, directory / "run"):  # the bench's own, where the approver has to go through
        if place.exists():
            place.chmod(place.stat().st_mode | 0o011)
    server.start()
    server.settle()
    if os.geteuid() == 0:
        for clients in (1, CLIENTS):
            table.rate(f"request.create+approve+pickup, {clients} at once / one-row commits",
                       *best_of(lambda: (requests_per_second(server, clients, options.seconds),
                                         load("commits", directory / f"baseline-{clients}.db", options.seconds, clients)), options.rounds),
                       "at least 0.08" if clients > 1 else "")
    else:
        print("request.create+approve+pickup: not measured, since only root speaks as two users")
    logins(table, server, options)
    server.stop()
