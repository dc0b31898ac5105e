"""What the parts of make bench share: a server of ours, what is measured with, and the table."""

import contextlib
import json
import os
import pathlib
import secrets
import socket
import sqlite3
import subprocess
import time

PROGRAMS = pathlib.Path(os.environ.get("CHANCERY_PROGRAMS", "."))
REALMS = ("default", "devices")
IDLE_WORKERS = 20


def load(*words):
    """A rate that bench-load measured."""
    done = subprocess.run([PROGRAMS / "bench-load", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench-load {' '.join(map(str, words))}: {done.stderr}")
    return float(done.stdout)


def free_port():
    """The first of two neighbours that nobody has now."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            with contextlib.suppress(OSError):
                other.bind(("127.0.0.1", port + 1))
                return port


def cpu_seconds(pid):
    """What a process and those below it have used so far, those that it has waited for among them."""
    own, below = 0, []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # what ends meanwhile is counted with its parent
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # utime, stime, cutime, cstime: proc(5)
        below = [int(one) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]
    return own + sum(map(cpu_seconds, below))


def pss_kib(pid):
    """What a process holds in memory, nothing if it has ended; what it shares counts in parts."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


class Server:
    """A server of two realms in a directory of its own, with uPKI's ports for the first."""

    running = set()
    protection = "passphrase_file: passphrase\n"  # of the CAs' keys

    def __init__(self, directory, key="ec:P-256"):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.socket, self.process = directory, directory / "run" / "chanceryd.sock", None
        for name in self.realm_names():
            realm = directory / "realms" / name
            realm.mkdir(parents=True)
            (realm / "ca.config.yml").write_text(self.protection + self.realm_settings())
            (realm / "passphrase").write_text("of the bench\n")
            (realm / "passphrase").chmod(0o600)
            subprocess.run([PROGRAMS / "chancery-signer", "create", "--realm", name, "--directory", realm, "--key", key,
                            *(["--unencrypted"] if "key_unencrypted" in self.protection else [])], check=True, capture_output=True)
        self.config = directory / "chancery.xml"
        self.config.write_text(f"""<chancery run-directory="run" program-directory="{PROGRAMS}">
  <log destination="{directory}/log" level="warning"/>
  <realms directory="realms"/>
{self.doors()}
</chancery>
""")
        self.csr = directory / "csr.pem"
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
                        "-subj", "/CN=bench.example.com", "-out", self.csr], check=True, capture_output=True)

    def realm_names(self):
        return REALMS

    def realm_settings(self):
        return ""

    def doors(self):
        port = free_port()
        self.endpoint = f"tcp://127.0.0.1:{port}"
        return f"""  <front-ends><front-end name="zmq" program="chancery-zmq" realms="*" roles="frontend ra-operator admin"/></front-ends>
  <zmq><endpoint address="127.0.0.1" port="{port}" realm="default" loopback-peers="ra-operator admin"/></zmq>"""

    def start(self):
        """@return seconds until systemd would be told that everything is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            path = self.directory / "notify"
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            notices.bind(str(path))
            notices.settimeout(30)
            begin = time.monotonic()
            self.process = subprocess.Popen([PROGRAMS / "chanceryd", "--config", self.config], env={**os.environ, "NOTIFY_SOCKET": str(path)})
            self.running.add(self)
            while b"READY=1" not in notices.recv(4096):
                pass
            return time.monotonic() - begin

    def stop(self):
        self.running.discard(self)
        self.process.terminate()
        self.process.wait(60)

    def settle(self):
        """Until no key pairs are made in advance any more."""
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(self.socket))
            lines = one.makefile("rw")
            method, params = "session.open", {"realm": "default"}
            while True:
                lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
                lines.flush()
                pool = json.loads(lines.readline())["result"].get("key_pool")
                method, params = "server.status", {}
                if pool is not None and all(kind["ready"] == kind["size"] for kind in pool):
                    return
                time.sleep(0.2)

    def cpu_seconds(self):
        """What all of its processes have used so far, those that have ended among them."""
        return cpu_seconds(self.process.pid)

    def children(self):
        return [int(pid) for pid in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def idle_worker_kib(self):
        """PSS of a worker that has a session and nothing to do: the mean of several."""
        before, connections = set(self.children()), []
        for _ in range(IDLE_WORKERS):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(self.socket))
            one.sendall(b'{"jsonrpc":"2.0","id":1,"method":"session.open","params":{"realm":"default"}}\n')
            assert b"result" in one.recv(4096)
            connections.append(one)
        workers = [pid for pid in self.children() if pid not in before]
        total = sum(map(pss_kib, workers))
        for one in connections:
            one.close()
        return total / len(workers)

    def fill(self, rows):
        """Multiplies a stored certificate, as if that many had been issued; the server is stopped meanwhile."""
        path = self.directory / "realms" / "default" / "db" / "realm.db"
        database = sqlite3.connect(path)
        for table in ("certificate", "certificate_der"):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            model = database.execute(f"SELECT {', '.join(names)} FROM {table} LIMIT 1").fetchone()
            serial, cn = names.index("serial"), names.index("cn") if "cn" in names else None
            if table == "certificate":
                serials = [secrets.token_hex(19) for _ in range(rows)]

            def row(i):
                values = list(model)
                values[serial] = serials[i]
                if cn is not None:
                    values[cn] = f"host-{i}.example.com"
                return values

            database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                                 (row(i) for i in range(rows)))
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()


class Table:
    def __init__(self):
        self.rows = []

    def add(self, name, ours, baseline, ratio, aim):
        self.rows.append((name, ours, baseline, ratio, aim))
        print(f"{name:80} {ours:>12} {baseline:>12} {ratio:>8}  {aim}", flush=True)

    def rate(self, name, ours, baseline, aim):
        self.add(name, f"{ours:.0f}/s", f"{baseline:.0f}/s", f"{ours / baseline:.2f}", aim)


def best_of(measure, rounds):
    """The machine's other work only ever slows a run down, so the fastest one says most; ours and the baseline alternate."""
    pairs = [measure() for _ in range(rounds)]
    return max(ours for ours, _ in pairs), max(baseline for _, baseline in pairs)
