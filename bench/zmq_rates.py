"""uPKI's protocol: `sign`, with and without key pairs in the making."""

import contextlib
import os
import signal
import subprocess

from measure import PROGRAMS, Server, best_of, load


def rsa_signatures(seconds):
    """What one core makes of RSA-4096 in a second, by OpenSSL's own count."""
    done = subprocess.run(["openssl", "speed", "-elapsed", "-seconds", str(max(1, round(seconds))), "rsa4096"], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-2])


@contextlib.contextmanager
def generating(server, options):
    """One client that has RSA-4096 pairs made without end; the first ones come from the pool, then it is empty."""
    process = subprocess.Popen([PROGRAMS / "bench-load", "zmq-generate", server.endpoint, str(options.seconds * 100), "1"], stdout=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # its clients are processes too
        process.wait()


def latency(table, server, options):
    """The best of the rounds, like the rates: the machine's other work only ever adds to it."""
    rounds = range(options.rounds)
    alone = min(load("zmq-sign-p99", server.endpoint, server.csr, options.seconds) for _ in rounds)
    with generating(server, options):
        beside = min(load("zmq-sign-p99", server.endpoint, server.csr, options.seconds) for _ in rounds)
    table.add("ZMQ sign, p99 with generate of RSA-4096 in flight / without", f"{beside:.1f} ms", f"{alone:.1f} ms", f"{beside / alone:.2f}",
              "at most 20 ms")


def rates_of_key(table, options, directory, key):
    """ZMQ sign beside what bounds it: RSA-4096 by what the cores can sign, anything else by the same server's socket."""
    server, cores, stored = Server(directory, key), os.cpu_count(), 0
    is_rsa = key.startswith("rsa")
    for certificates in sorted({0, min(5000, options.certificates), options.certificates}):
        if certificates > stored:
            server.fill(certificates - stored)
            stored = certificates
        server.start()
        server.settle()
        for clients in (1, 4):
            def pair():
                ours = load("zmq-sign", server.endpoint, server.csr, options.seconds, clients)
                if is_rsa:
                    return ours, min(cores, clients) * rsa_signatures(options.seconds)
                return ours, load("issue", server.socket, server.csr, options.seconds, clients)
            bound = f"{min(cores, clients)} x openssl speed rsa4096" if is_rsa else "certificate.issue"
            aim = ("at least 0.85" if is_rsa else "at least 0.6") if clients == 4 else ""
            table.rate(f"ZMQ sign, {key}, {clients} client{'s' * (clients > 1)}, {certificates} stored / {bound}", *best_of(pair, options.rounds), aim)
        if certificates == 0:
            latency(table, server, options)
        server.stop()


def zmq_rates(table, options, directory):
    for key in ("rsa:4096", "ec:P-256"):
        rates_of_key(table, options, directory / key.replace(":", "-"), key)
