"""C22, D34, D35: what each process of a running server may still do, as the kernel tells it."""

import pathlib

import pytest

from test_daemon import Daemon, issue
from test_master import BUILD
from test_sweep import talk_and_worker


@pytest.fixture
def daemon(tmp_path):
    tmp_path.chmod(0o755)
    one = Daemon(tmp_path)
    one.start()
    yield one
    one.end()


def status(task):
    return dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)


def tasks(pid):
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def test_D34_every_thread_of_a_signer_is_confined(daemon):
    pid = daemon.signer("default")
    seen = [status(task) for task in tasks(pid)]
    assert len(seen) > 1
    filters = "0" if b"__asan_init" in (BUILD / "chancery-signer").read_bytes() else "2"  # the sanitizers make calls of their own
    assert {(one["Seccomp"], one["NoNewPrivs"]) for one in seen} == {(filters, "1")}


def test_D8_D34_a_worker_is_under_a_filter_of_system_calls(daemon):
    talk, worker = talk_and_worker(daemon)
    with talk:
        assert (status(pathlib.Path(f"/proc/{worker}"))["Seccomp"], status(pathlib.Path(f"/proc/{worker}"))["NoNewPrivs"]) == ("2", "1")
        issue(talk, "filter.example.com")


def test_D35_D36_nobody_dumps_core(daemon):
    talk, worker = talk_and_worker(daemon)
    with talk:
        issue(talk, "core.example.com")
        for pid in (worker, daemon.signer("default"), daemon.process.pid):
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
            core, = [line for line in limits.splitlines() if line.startswith("Max core file size")]
            assert core.split()[4:6] == ["0", "0"], core
            assert status(pathlib.Path(f"/proc/{pid}"))["NoNewPrivs"] == "1"


def test_D37_no_secret_in_arguments_environment_or_log(daemon):
    realm = daemon.realm("default")
    with daemon.talk("default") as talk:
        issue(talk, "secret.example.com")
    key = (realm / "ca.key").read_text().splitlines()[1]
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        assert key.encode() not in text
    assert key not in daemon.log()
