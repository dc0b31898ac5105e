"""http-01 against names and web servers that mean harm (PROMISES F45-F47, I17, I18): where a validation connects, how much it reads,
how long it waits, and what it tells."""

import socket
import threading

import pytest

from acme_client import Client
from challenges import account, answer, begin, check_refused, key_authorization
from conftest import System
from dns_server import A
from http01_server import CHALLENGES, Web


class ResolvingSystem(System):
    """Both realms ask a name server of the test's; the second one keeps off this machine. Each has an exception."""

    resolver_port = 53

    def lay_out_realm(self, name):
        super().lay_out_realm(name)
        path = self.directory / "var" / "realms" / name / "ca.config.yml"
        text = path.read_text() + f"  resolver: 127.0.0.1:{self.resolver_port}\n"
        path.write_text(text.replace("allow_loopback: true", "allow_loopback: false") + "  allowed_networks: [127.0.9.0/24]\n" if name == "devices" else
                        text + "  forbidden_networks: [127.0.7.0/24, 192.0.2.0/24]\n  allowed_networks: [127.0.7.8]\n")


@pytest.fixture(scope="module")
def resolving(dns):
    with ResolvingSystem.running(resolver_port=dns.port) as one:
        yield one


@pytest.fixture
def site(resolving, tmp_path):
    one = Web(resolving.http01_port, tmp_path)
    yield one
    one.stop()


def validate(client, name, answers=None):
    """@return (status, error) of the authorization's http-01 challenge."""
    url, challenge = begin(client, name, "http-01")
    if answers is not None:
        answers[challenge["token"]] = key_authorization(client, challenge)
    return answer(client, url, challenge)


def test_a_name_is_found_through_the_realms_resolver(resolving, dns, site):
    dns.zone["found.shop.example"] = ["127.0.0.1"]
    assert validate(account(resolving), "found.shop.example", site.answers) == ("valid", None)
    assert dns.asked("found.shop.example", A) == 1


# ----- where it connects

FORBIDDEN = ["169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "192.0.0.8", "::", "fe80::1", "ff02::1",
             "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_F46_forbidden_addresses_of_a_name(resolving, dns, site, address):
    name = f"forbidden-{FORBIDDEN.index(address)}.shop.example"
    dns.zone[name] = [address]
    assert "validation does not connect there" in check_refused(validate(account(resolving), name, site.answers), "connection")
    assert not site.requests


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"])
def test_F47_a_realm_that_keeps_off_loopback(resolving, dns, site, address):
    dns.zone["loop.shop.example"] = [address]
    assert "loopback" in check_refused(validate(account(resolving, "devices"), "loop.shop.example", site.answers), "connection")
    assert not site.requests


def test_F47_a_realm_that_keeps_off_loopback_keeps_off_the_machines_other_addresses(resolving, dns, site):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks for the address that would be used
        except OSError:
            pytest.skip("this machine has no address but loopback")
        own = probe.getsockname()[0]
    dns.zone["own.shop.example"] = [own]
    detail = check_refused(validate(account(resolving, "devices"), "own.shop.example", site.answers), "connection")
    assert "this machine's own address" in detail or "loopback" in detail


@pytest.mark.parametrize("realm_name,address,allowed", [("default", "127.0.7.7", False), ("default", "127.0.7.8", True), ("devices", "127.0.9.1", True),
                                                        ("devices", "127.0.7.8", False)])
def test_F47_networks_that_a_realm_allows_and_forbids(resolving, dns, tmp_path, realm_name, address, allowed):
    name = f"{realm_name}-{address.replace('.', '-')}.networks.example"
    dns.zone[name] = [address]
    there = Web(resolving.http01_port, tmp_path, address)
    try:
        outcome = validate(account(resolving, realm_name), name, there.answers)
        if allowed:
            assert outcome == ("valid", None)
        else:
            assert f"{address} is " in check_refused(outcome, "connection") and not there.requests
    finally:
        there.stop()


def test_F47_a_forbidden_network_is_named(resolving, dns, site):
    dns.zone["named.networks.example"] = ["192.0.2.1"]
    detail = check_refused(validate(account(resolving), "named.networks.example", site.answers), "connection")
    assert "192.0.2.1 is in 192.0.2.0/24 of forbidden_networks: validation does not connect there" in detail


def test_IPv6_goes_first_and_IPv4_is_the_way_out(resolving, dns, site, tmp_path):
    dns.zone["both.shop.example"] = ["127.0.0.1", "::1"]
    assert validate(account(resolving), "both.shop.example", site.answers) == ("valid", None)  # nobody is there by IPv6
    assert len(site.requests) == 1
    (tmp_path / "v6").mkdir()
    by_v6 = Web(resolving.http01_port, tmp_path / "v6", "::1")
    try:
        assert validate(account(resolving), "both.shop.example", by_v6.answers) == ("valid", None)
        assert len(by_v6.requests) == 1 and len(site.requests) == 1
    finally:
        by_v6.stop()


def test_localhost_is_loopback_whatever_the_resolver_says(resolving, dns, site):
    dns.zone["evil.localhost"] = ["169.254.169.254"]
    assert validate(account(resolving), "evil.localhost", site.answers)[0] == "valid"
    check_refused(validate(account(resolving, "devices"), "evil.localhost", site.answers), "connection")
    assert dns.asked("evil.localhost", A) == 0


def test_I18_a_name_is_looked_up_once_and_that_address_used(resolving, dns, site):
    dns.zone["rebind.shop.example"] = lambda kind, before: ["127.0.0.1"] if before == 0 else ["169.254.169.254"]
    assert validate(account(resolving), "rebind.shop.example", site.answers) == ("valid", None)
    assert dns.asked("rebind.shop.example", A) == 1


def test_I18_the_address_that_was_checked_first_is_the_one_that_counts(resolving, dns, site):
    dns.zone["rebound.shop.example"] = lambda kind, before: ["169.254.169.254"] if before == 0 else ["127.0.0.1"]
    check_refused(validate(account(resolving), "rebound.shop.example", site.answers), "connection")
    assert dns.asked("rebound.shop.example", A) == 1 and not site.requests


def test_F46_forbidden_addresses_beside_good_ones_are_passed_over(resolving, dns, site):
    dns.zone["mixed.shop.example"] = ["169.254.169.254", "127.0.0.1", "fe80::1"]
    assert validate(account(resolving), "mixed.shop.example", site.answers) == ("valid", None)


def test_I17_each_hop_is_looked_up_and_checked(resolving, dns, site):
    dns.zone["inner.shop.example"] = ["169.254.169.254"]
    dns.zone["outer.shop.example"] = ["127.0.0.1"]
    client = account(resolving)
    url, challenge = begin(client, "outer.shop.example", "http-01")
    site.answers[challenge["token"]] = (302, {"Location": f"http://inner.shop.example:{resolving.http01_port}/secret"}, "")
    assert client.post(challenge["url"], {}).ok
    found = client.poll(url, ("valid", "invalid"))
    error = next(one for one in found["challenges"] if one["type"] == "http-01")["error"]
    assert "inner.shop.example" in check_refused((found["status"], error), "connection")
    assert dns.asked("inner.shop.example", A) == 1


def test_I18_a_redirect_to_the_same_name_is_checked_anew(resolving, dns, site):
    dns.zone["twice.shop.example"] = lambda kind, before: ["127.0.0.1"] if before == 0 else ["169.254.169.254"]
    client = account(resolving)
    url, challenge = begin(client, "twice.shop.example", "http-01")
    site.answers[challenge["token"]] = (302, {"Location": CHALLENGES + "other"}, "")
    site.answers["other"] = challenge["token"] + "." + client.key.thumbprint()
    assert client.post(challenge["url"], {}).ok
    assert client.poll(url, ("valid", "invalid"))["status"] == "invalid"
    assert site.requests == [CHALLENGES + challenge["token"]]


# ----- names that lead nowhere

@pytest.mark.parametrize("name,zone", [
    ("nowhere.shop.example", {}), ("empty.shop.example", {"empty.shop.example": []}),
    ("a.loop.example", {"a.loop.example": ["CNAME b.loop.example"], "b.loop.example": ["CNAME a.loop.example"]}),
    ("self.loop.example", {"self.loop.example": ["CNAME self.loop.example"]}),
    ("chain-0.loop.example", {f"chain-{i}.loop.example": [f"CNAME chain-{i + 1}.loop.example"] for i in range(100)}),
    ("silent.shop.example", {"silent.shop.example": lambda kind, before: None})],
    ids=["no such name", "no address", "CNAME loop", "CNAME to itself", "CNAME chain", "no answer"])
def test_F46_names_without_an_address(resolving, dns, site, name, zone):
    dns.zone.update(zone)
    assert name in check_refused(validate(account(resolving), name, site.answers), "dns")
    assert not site.requests


@pytest.mark.parametrize("count,kind,words", [(60, "connection", "127.0."), (1000, "dns", "more than 500 records")])
def test_F46_many_addresses_are_not_all_tried(resolving, dns, site, count, kind, words):
    dns.zone["many.shop.example"] = [f"127.0.{2 + i // 250}.{1 + i % 250}" for i in range(count)]  # nobody answers there
    site.stop()
    assert words in check_refused(validate(account(resolving), "many.shop.example"), kind)


# ----- what it reads, and for how long

class RawSite:
    """A web server of octets: `talk` gets each connection after its request was read."""

    def __init__(self, port, talk):
        self.talk, self.over, self.taken = talk, threading.Event(), 0
        self.listener = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.over.is_set():
            connection, _ = self.listener.accept()
            with connection:
                try:
                    while not self.over.is_set() and b"\r\n\r\n" not in connection.recv(65536):
                        pass
                    self.talk(self, connection)
                except OSError:
                    pass

    def send_for_ever(self, connection, octets, pause=0.0):
        while not self.over.wait(pause):
            connection.sendall(octets)
            self.taken += len(octets)

    def stop(self):
        self.over.set()
        try:
            socket.create_connection(self.listener.getsockname(), timeout=60).close()
        except OSError:
            pass
        self.thread.join(60)
        self.listener.close()


SECRET = b"s3cret-of-an-inner-page"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def send(octets):
    return lambda site, connection: connection.sendall(octets)


def endless(head, octets, pause=0.0):
    def talk(site, connection):
        connection.sendall(head)
        site.send_for_ever(connection, octets, pause)
    return talk


TALKS = {
    "endless body": endless(HEAD + b"\r\n" + SECRET, SECRET * 1000),
    "10 GB announced": endless(HEAD + b"Content-Length: 10000000000\r\n\r\n", SECRET * 1000),
    "endless chunks": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"17\r\n" + SECRET + b"\r\n"),
    "endless headers": endless(HEAD, b"X-" + SECRET + b": x\r\n"),
    "one endless header": endless(HEAD + b"X: ", SECRET * 1000),
    "endless status lines": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "one octet a second": endless(HEAD + b"\r\n", b"x", 1),
    "headers an octet a second": endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", 1),
    "silence": lambda site, connection: site.over.wait(60),
    "hang-up": lambda site, connection: None,
    "no HTTP": send(SECRET),
    "HTTP/0.9": send(b"<html>" + SECRET + b"</html>"),
    "SSH": send(b"SSH-2.0-OpenSSH_9.2\r\n" + SECRET),
    "gzip": send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 23\r\n\r\n" + SECRET),
    "two lengths": send(HEAD + b"Content-Length: 1\r\nContent-Length: 23\r\n\r\n" + SECRET),
    "control characters": send(HEAD + b"\r\n\x1b[2J\n2026 forged line " + SECRET),
    "status 99999": send(b"HTTP/1.1 99999 x\r\n\r\n" + SECRET),
    "redirect with control characters": send(b"HTTP/1.1 302 x\r\nLocation: http://\x1b[2Jx/\r\n\r\n"),
    "redirect of 9,000 octets": send(b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1/" + b"a" * 9000 + b"\r\n\r\n"),
    "redirect to gopher": send(b"HTTP/1.1 302 x\r\nLocation: gopher://127.0.0.1:80/\r\n\r\n"),
    "redirect to a dict server": send(b"HTTP/1.1 302 x\r\nLocation: dict://127.0.0.1:11211/stat\r\n\r\n"),
    "redirect to a script": send(b"HTTP/1.1 302 x\r\nLocation: javascript:alert(1)\r\n\r\n"),
    "redirect to port 0": send(b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:0/\r\n\r\n"),
    "redirect to port 65616": send(b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:65616/\r\n\r\n"),
    "redirect to a decimal address": send(b"HTTP/1.1 302 x\r\nLocation: http://2852039166/\r\n\r\n"),
    "redirect to an octal address": send(b"HTTP/1.1 302 x\r\nLocation: http://0251.0376.0251.0376/\r\n\r\n"),
    "redirect to a hexadecimal address": send(b"HTTP/1.1 302 x\r\nLocation: http://0xa9fea9fe/\r\n\r\n"),
}


@pytest.mark.parametrize("kind", TALKS)
def test_F45_web_servers_that_mean_harm(resolving, dns, kind):
    dns.zone["harm.shop.example"] = ["127.0.0.1"]
    hostile = RawSite(resolving.http01_port, TALKS[kind])
    try:
        status, error = validate(account(resolving), "harm.shop.example")
        assert status == "invalid" and error["type"].rsplit(":", 1)[1] in ("connection", "incorrectResponse", "dns"), error
        assert SECRET.decode() not in error["detail"] and "\x1b" not in error["detail"] and "\n" not in error["detail"]
        assert hostile.taken < 8 << 20  # what the kernels' buffers hold
    finally:
        hostile.stop()
    assert SECRET not in resolving.log.read_bytes() and b"\x1b" not in resolving.log.read_bytes()


@pytest.mark.parametrize("hops,status", [(10, "valid"), (11, "invalid")])
def test_F45_ten_redirects_and_no_more(resolving, dns, site, hops, status):
    name = f"hops-{hops}.shop.example"
    dns.zone[name] = ["127.0.0.1"]
    client = account(resolving)
    url, challenge = begin(client, name, "http-01")
    names = [challenge["token"]] + [f"hop-{i}" for i in range(hops)]
    for here, there in zip(names, names[1:]):
        site.answers[here] = (302, {"Location": CHALLENGES + there}, "")
    site.answers[names[-1]] = challenge["token"] + "." + client.key.thumbprint()
    assert client.post(challenge["url"], {}).ok
    assert client.poll(url, ("valid", "invalid"))["status"] == status


def test_I20_many_posts_at_once_are_one_validation(resolving, dns, site):
    dns.zone["at-once.shop.example"] = ["127.0.0.1"]
    client = account(resolving)
    url, challenge = begin(client, "at-once.shop.example", "http-01")
    site.answers[challenge["token"]] = challenge["token"] + "." + client.key.thumbprint()
    from acme_client import jws
    bodies = [jws(client.key, client.header(challenge["url"]), {}) for _ in range(12)]
    start, answers = threading.Barrier(len(bodies)), []

    def post(body):
        start.wait()
        answers.append(Client(client.directory_url, client.web.verify).send(challenge["url"], body))
    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all(one.ok and one.json()["status"] in ("processing", "valid") for one in answers), [one.text for one in answers]
    assert client.poll(url, ("valid", "invalid"))["status"] == "valid"
    assert len(site.requests) == 1 and dns.asked("at-once.shop.example", A) == 1


def test_F22_validations_that_hang_hold_up_nobody_else(resolving, dns):
    """As many hanging validations as there are threads for them: orders, accounts and CRLs go on meanwhile."""
    import requests
    dns.zone["hang.shop.example"] = ["127.0.0.1"]
    hanging = RawSite(resolving.http01_port, lambda site, connection: site.over.wait(60))
    try:
        client = account(resolving)
        waiting = []
        for i in range(10):
            dns.zone[f"hang-{i}.shop.example"] = ["127.0.0.1"]
            url, challenge = begin(client, f"hang-{i}.shop.example", "http-01")
            assert client.post(challenge["url"], {}).ok
            waiting.append(url)
        served = 0
        while served < 100 and client.post(waiting[-1]).json()["status"] in ("pending", "processing"):
            served += 1  # below the limit of pending authorizations
            assert client.order(["other.shop.example"]).status_code == 201
            assert requests.get(f"{resolving.http_url}/crl", timeout=60).status_code == 200
        assert served >= 10
    finally:
        hanging.stop()
    assert {client.poll(url, ("valid", "invalid"))["status"] for url in waiting} == {"invalid"}
