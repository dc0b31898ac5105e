"""Many realms of several CAs each in one server: how long it takes to start, what it holds in memory, and whether one realm still
issues as fast as it would alone."""

import concurrent.futures
import json
import os
import socket

from measure import Server, best_of, load, pss_kib

FURTHER_CAS = ("second", "third")
CLIENTS = 8


class Realms(Server):
    """So many realms, the first one called `default`, each with three CAs; no front ends, whose memory is not the realms'."""

    # Opening a key by a passphrase takes the rounds of PBKDF2 that are meant to take time: once for each key, whatever else there is.
    protection = "key_unencrypted: true\n"

    def __init__(self, directory, count):
        self.names = ["default", *(f"realm-{i}" for i in range(2, count + 1))]
        super().__init__(directory)

    def realm_names(self):
        return self.names

    def realm_settings(self):
        further = "".join(f"  {name}: {{purpose: issuing}}\n" for name in FURTHER_CAS)
        return f'crl_urls: ["http://pki.example.com/cas/{{ca}}/crl"]\ncas:\n{further}'

    def doors(self):
        return '  <limits max-workers="1000" max-workers-per-uid="1000" key-pool="0"/>'

    def make_cas(self):
        """By the commands, as an operator does."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.make_cas_of, self.names))

    def make_cas_of(self, realm):
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(self.socket))
            lines = one.makefile("rw")

            def call(method, **params):
                lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
                lines.flush()
                reply = json.loads(lines.readline())
                if "error" in reply:
                    raise SystemExit(f"{realm}: {method}: {reply['error']}")

            call("session.open", realm=realm)
            for name in FURTHER_CAS:
                for step in ("start", "publish", "switch"):
                    call(f"ca.rollover.{step}", ca=name)


def grown(directory, count, rounds):
    """@return the server, running, and the seconds of its quickest start"""
    server = Realms(directory, count)
    server.start()
    server.make_cas()
    server.stop()
    starts = []
    for left in reversed(range(rounds)):
        starts.append(server.start())
        if left:
            server.stop()
    return server, min(starts)


def memory_kib(server):
    return sum(map(pss_kib, [server.process.pid, *server.children()]))


def realm_rates(table, options, directory):
    many, start = grown(directory / "many", options.realms, options.rounds)
    one, start_of_one = grown(directory / "one", 1, options.rounds)
    what = f"{options.realms} realms of {1 + len(FURTHER_CAS)} CAs / one"
    table.add(f"start to ready, {what}", f"{start:.3f} s", f"{start_of_one:.3f} s", f"{start / start_of_one:.1f}", "")
    for server in (many, one):
        server.settle()
    of_many, of_one = memory_kib(many), memory_kib(one)
    table.add(f"PSS of all processes, {what}", f"{of_many / 1024:.0f} MiB", f"{of_one / 1024:.1f} MiB", f"{of_many / of_one:.1f}", "")
    table.add("PSS of each further realm", f"{(of_many - of_one) / (options.realms - 1):.0f} KiB", "", "", "")

    def issue(clients):
        return best_of(lambda: [load("issue", server.socket, server.csr, options.seconds, clients) for server in (many, one)], options.rounds)
    table.rate(f"certificate.issue in one of them, 1 client, {what}", *issue(1), "at least 0.90")
    table.rate(f"certificate.issue in one of them, {CLIENTS} clients, {what}", *issue(CLIENTS), "at least 0.90")
    for server in (many, one):
        server.stop()
