"""The socket: starts, connections, issuances, and what they cost when much is stored."""

import contextlib
import subprocess
import tempfile

from measure import PROGRAMS, Server, best_of, load


@contextlib.contextmanager
def echo_server(directory):
    path = directory / "echo.sock"
    process = subprocess.Popen([PROGRAMS / "bench-load", "echo", path])
    try:
        while not path.exists():
            assert process.poll() is None
        yield path
    finally:
        process.terminate()
        process.wait()


def audit_costs(table, options, directory):
    """An issuance is audited by the two records of the journal that it needs anyhow; here with and without what only the audit asks for."""
    def rate(kind):
        with tempfile.TemporaryDirectory(dir=directory) as place:
            return load(f"journal-{kind}", place, options.seconds, 8)
    table.rate("journal of an issuance with who, why and by which right / without, 8 at once",
               *best_of(lambda: (rate("audit"), rate("bare")), options.rounds), "at least 0.85")


def socket_rates(table, options, directory):
    server = Server(directory)
    starts = []
    for _ in range(options.rounds):
        starts.append(server.start())
        server.stop()
    table.add("start to ready, two realms", f"{min(starts):.3f} s", "", "", "at most 0.3 s")
    server.start()
    server.settle()
    with echo_server(directory) as echo:
        for clients in (1, 8):
            table.rate(f"connect+server.ping+close, {clients} at once / accept-fork-echo",
                       *best_of(lambda: (load("connections", server.socket, options.seconds, clients), load("connections", echo, options.seconds, clients)),
                                options.rounds), "at least 0.5")
            table.rate(f"connect+session.open+server.ping+close, {clients} at once / accept-fork-echo",
                       *best_of(lambda: (load("visits", server.socket, options.seconds, clients), load("visits", echo, options.seconds, clients)),
                                options.rounds), "at least 0.5")
    table.add("PSS of an idle worker", f"{server.idle_worker_kib():.0f} KiB", "", "", "at most 1536 KiB")

    def issue(clients):
        return best_of(lambda: (load("issue", server.socket, server.csr, options.seconds, clients),
                                load("commits", directory / "baseline.db", options.seconds, clients)), options.rounds)
    table.rate("certificate.issue, 1 client / one-row commits", *issue(1), "")
    empty = issue(8)
    table.rate("certificate.issue, 8 clients / one-row commits", *empty, "at least 0.3")
    server.stop()
    audit_costs(table, options, directory)
    server.fill(options.certificates)
    server.start()
    server.settle()
    full = issue(8)
    table.rate(f"certificate.issue, 8 clients, {options.certificates} stored", *full, "at least 0.3")
    few, many = (ours / baseline for ours, baseline in (empty, full))
    table.add(f"certificate.issue / one-row commits, {options.certificates} stored / with few", f"{many:.3f}", f"{few:.3f}", f"{many / few:.2f}", "at least 0.90")
    server.stop()
