"""ACME: whole issuances, each name proved by http-01, beside pebble, which keeps all in memory and makes nothing durable."""

import contextlib
import json
import os
import secrets
import socket
import sqlite3
import subprocess
import time

from measure import PROGRAMS, Server, cpu_seconds, free_port

PEBBLE_ORDERS = 300  # above which it locks up
PEBBLE_FREELY = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
ACCOUNTS = (1, 8, 32, 128)
PEBBLE_ACCOUNTS = 8  # of more it hangs


class World:
    """Where names are looked up and proved: bench-acme serves it, the servers are told of it."""

    def __init__(self):
        self.dns_port, self.http_port = free_port(), free_port()

    def load(self, server, accounts, orders, seconds):
        """@return what bench-acme found, and the server's CPU time for each order in ms."""
        before = server.cpu_seconds()
        done = subprocess.run([PROGRAMS / "bench-acme", "--directory", server.url, "--ca", server.trust, "--dns-port", str(self.dns_port),
                               "--http-port", str(self.http_port), "--accounts", str(accounts), "--orders", str(orders), "--seconds", str(seconds)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench-acme at {server.url}: {done.stderr}")
        figures = json.loads(done.stdout)
        figures["cpu_ms"] = 1000 * (server.cpu_seconds() - before) / max(1, figures["orders"])
        figures["why"] = done.stderr.strip()
        return figures


class AcmeServer(Server):
    """Ours, with ACME over HTTPS for the first realm, durable as always."""

    def __init__(self, directory, world):
        self.world, self.port = world, free_port()
        super().__init__(directory)
        self.url = f"https://localhost:{self.port}/acme/directory"
        self.trust = directory / "realms" / "default" / "ca.crt"

    def realm_settings(self):
        return f"""acme:
  http01_port: {self.world.http_port}
  resolver: "127.0.0.1:{self.world.dns_port}"
  allow_loopback: true
"""

    def doors(self):
        return f"""  <front-ends><front-end name="http" program="chancery-http" realms="*" roles="frontend"/></front-ends>
  <listeners><listener name="https" address="127.0.0.1" port="{self.port}" default-realm="default" realms="*" names="localhost"
                       new-accounts-per-hour="0"/></listeners>"""

    def start(self):
        super().start()
        wait_for_door(self)
        self.settle()

    def fill_orders(self, rows):
        """Multiplies an order that has its certificate, as if that many had been made; the server is stopped meanwhile."""
        self.fill(rows)
        database = sqlite3.connect(self.directory / "realms" / "default" / "db" / "realm.db")
        names = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in ("acme_order", "acme_authorization")}
        models = {table: database.execute(f"SELECT * FROM {table} WHERE status = 'valid' LIMIT 1").fetchone() for table in names}
        for i in range(rows):
            order, authorization = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
            stored = {"acme_order": {"id": order, "authorizations": json.dumps([authorization])},
                      "acme_authorization": {"id": authorization, "value": f"stored-{i}.bench.example"}}
            for table, columns in names.items():
                row = [stored[table].get(column, value) for column, value in zip(columns, models[table])]
                database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()


class Pebble:
    """Debian's pebble without its artificial sleeps and refusals."""

    def __init__(self, directory, world):
        directory.mkdir(parents=True)
        self.port, self.trust = free_port(), directory / "cert.pem"
        self.url = f"https://localhost:{self.port}/dir"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", directory / "key.pem", "-out", self.trust], check=True, capture_output=True)
        config = {"pebble": {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{free_port()}",
                             "certificate": str(self.trust), "privateKey": str(directory / "key.pem"), "httpPort": world.http_port,
                             "tlsPort": free_port(), "ocspResponderURL": "", "externalAccountBindingRequired": False}}
        (directory / "config.json").write_text(json.dumps(config))
        self.process = subprocess.Popen(["pebble", "-config", directory / "config.json", "-dnsserver", f"127.0.0.1:{world.dns_port}"],
                                        env={**os.environ, **PEBBLE_FREELY}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_door(self)

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def wait_for_door(server):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers at {server.url}")


def pebble_figures(world, options, directory, accounts):
    """The fastest of some runs, each of a pebble that is new."""
    runs = []
    for _ in range(options.rounds):
        pebble = Pebble(directory / f"pebble-{secrets.token_hex(4)}", world)
        try:
            runs.append(world.load(pebble, accounts, PEBBLE_ORDERS, options.seconds))
        finally:
            pebble.stop()
    return max(runs, key=lambda one: one["rate"])


def our_figures(world, options, server, accounts):
    """The fastest of some runs; errors count from all of them."""
    runs = [world.load(server, accounts, 10 ** 9, options.seconds) for _ in range(options.rounds)]
    best = max(runs, key=lambda one: one["rate"])
    return {**best, "errors": sum(one["errors"] for one in runs), "why": " ".join({one["why"] for one in runs})}


def add_latency(table, accounts, ours, pebbles):
    table.add(f"ACME issuance, {accounts} accounts, p50 and p99", f"{ours['p50_ms']:.0f} {ours['p99_ms']:.0f} ms",
              f"{pebbles['p50_ms']:.0f} {pebbles['p99_ms']:.0f} ms" if pebbles else "", "", "")


def acme_rates(table, options, directory):
    world = World()
    server = AcmeServer(directory / "chancery", world)
    server.start()
    few = {}
    for accounts in ACCOUNTS:
        ours = few[accounts] = our_figures(world, options, server, accounts)
        pebbles = pebble_figures(world, options, directory, accounts) if accounts <= PEBBLE_ACCOUNTS else None
        if pebbles:
            table.rate(f"ACME issuance, {accounts} accounts / pebble", ours["rate"], pebbles["rate"], f"at least {1.4 if accounts == 8 else 1}")
            table.add(f"ACME issuance, {accounts} accounts, server's CPU time for each", f"{ours['cpu_ms']:.2f} ms", f"{pebbles['cpu_ms']:.2f} ms",
                      f"{ours['cpu_ms'] / pebbles['cpu_ms']:.2f}", "at most 0.5" if accounts == 8 else "")
        else:
            table.rate(f"ACME issuance, {accounts} accounts / 8 accounts", ours["rate"], few[8]["rate"], "at least 1")
        add_latency(table, accounts, ours, pebbles)
        table.add(f"ACME issuance, {accounts} accounts, errors", ours["errors"], "", ours["why"], "none")
    server.stop()
    server.fill_orders(options.certificates)
    server.start()
    many = our_figures(world, options, server, 8)
    table.rate(f"ACME issuance, 8 accounts, {options.certificates} orders stored / few", many["rate"], few[8]["rate"], "at least 0.9")
    server.stop()
