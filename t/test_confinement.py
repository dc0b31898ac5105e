"""C22, D34, D35: what each process of a running server may still do, as the kernel tells it."""

import contextlib
import pathlib

import pytest

from conftest import IS_SANITIZED
from test_daemon import issue
from test_master import children
from test_sweep import talk_and_worker

FILTERS_OF_ALL = 1  # no new code


def status(task):
    return dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)


def tasks(pid):
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def test_D34_every_thread_of_a_signer_is_confined(daemon):
    pid = daemon.signer("default")
    seen = [status(task) for task in tasks(pid)]
    assert len(seen) > 1
    own = 0 if IS_SANITIZED else 1  # the sanitizers make calls of their own
    assert {(one["Seccomp_filters"], one["NoNewPrivs"]) for one in seen} == {(str(FILTERS_OF_ALL + own), "1")}


def test_D8_D34_a_worker_is_under_a_filter_of_system_calls(daemon):
    talk, worker = talk_and_worker(daemon)
    with talk:
        seen = status(pathlib.Path(f"/proc/{worker}"))
        assert (seen["Seccomp_filters"], seen["NoNewPrivs"]) == (str(FILTERS_OF_ALL + 1), "1")
        issue(talk, "filter.example.com")


def test_D34_no_process_of_the_server_can_bring_in_code(daemon):
    """What the filter refuses is server/base/code_pages_test.cc's; here: that everybody is under it."""
    for pid in (daemon.process.pid, *children(daemon.process.pid)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a worker of upkeep's that has ended
            assert int(status(pathlib.Path(f"/proc/{pid}"))["Seccomp_filters"]) >= FILTERS_OF_ALL, pid


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitized program is linked in the usual way")
def test_workers_share_the_programs_code_in_huge_pages(daemon):
    """As far as this machine gives any: the log of a start says so where not (chanceryd stays in its file's pages)."""
    def huge_code(pid):
        maps = pathlib.Path(f"/proc/{pid}/smaps").read_text().split("VmFlags:")
        return [part for part in maps if " r-xp " in part and " 00:00 0 " in part and "AnonHugePages:" in part and "AnonHugePages:         0 kB" not in part]
    if not huge_code(daemon.process.pid):
        assert "the code stays in the file's pages" in daemon.log()
        return
    talk, worker = talk_and_worker(daemon)
    with talk:
        assert huge_code(worker)
        issue(talk, "huge.example.com")


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
