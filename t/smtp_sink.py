"""An SMTP server that keeps what it is sent, for tests: STARTTLS, AUTH PLAIN and LOGIN, and whatever goes wrong on demand."""

import base64
import email
import email.policy
import socket
import ssl
import threading


class Sink:
    """Takes one connection after the other. `script`, when set, is asked with the name of each step ("connect", "rcpt", "data",
    "end") and may answer with a line that is sent instead, or do something first."""

    def __init__(self, port, context=None, offers_tls=True):
        self.context, self.offers_tls = context, offers_tls
        self.mails, self.logins, self.steps = [], [], []
        self.script = None
        self.changed = threading.Condition()
        self.socket = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.listen, daemon=True).start()

    def stop(self):
        self.socket.close()

    def note(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait_for(self, condition, seconds=90):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), seconds), (self.steps[-20:], len(self.mails))

    def mails_to(self, address):
        return [one for one in self.mails if [to.addr_spec for to in one["To"].addresses] == [address]]

    def listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def step(self, name):
        self.note(self.steps, name)
        return self.script(name) if self.script else None

    def serve(self, connection):
        try:
            Talk(self, connection).run()
        except (OSError, EOFError):
            self.note(self.steps, "broken")


class Talk:
    def __init__(self, sink, connection):
        self.sink, self.connection = sink, connection
        self.lines = connection.makefile("rb")
        self.tls = False
        self.recipients = []

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def read(self):
        line = self.lines.readline()
        if not line:
            raise EOFError
        return line.rstrip(b"\r\n")

    def run(self):
        self.say(self.sink.step("connect") or "220 sink ESMTP")
        while True:
            line = self.read().decode()
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            getattr(self, "on_" + verb.lower(), self.on_unknown)(line)

    def on_unknown(self, line):
        self.say("500 unknown")

    def on_ehlo(self, line):
        offers = ["AUTH PLAIN LOGIN"] if self.tls or not self.sink.offers_tls else []
        if self.sink.context and self.sink.offers_tls and not self.tls:
            offers.append("STARTTLS")
        for one in ["sink", *offers][:-1]:
            self.say("250-" + one)
        self.say("250 " + (["sink", *offers][-1]))

    def on_starttls(self, line):
        self.say("220 go ahead")
        self.connection = self.sink.context.wrap_socket(self.connection, server_side=True)
        self.lines = self.connection.makefile("rb")
        self.tls = True
        self.sink.note(self.sink.steps, "tls")

    def on_auth(self, line):
        words = line.split(" ")
        if words[1] == "PLAIN":
            if len(words) < 3:
                self.say("334 ")
                words.append(self.read().decode())
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
        else:
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(self.read()).decode()
            self.say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(self.read()).decode()
        self.sink.note(self.sink.logins, (user, password, self.tls))
        self.say("235 welcome")

    def on_mail(self, line):
        self.recipients = []
        self.say("250 ok")

    def on_rcpt(self, line):
        self.recipients.append(line)
        self.say(self.sink.step("rcpt") or "250 ok")

    def on_data(self, line):
        self.say(self.sink.step("data") or "354 go on")
        raw = b""
        while (one := self.read()) != b".":
            raw += (one[1:] if one.startswith(b".") else one) + b"\r\n"
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        mail.envelope, mail.raw, mail.over_tls = self.recipients, raw, self.tls
        answer = self.sink.step("end")
        self.sink.note(self.sink.mails, mail)
        self.say(answer or "250 taken")


def tls_context(directory):
    """A server's context with a self-signed certificate of 127.0.0.1, which is in directory/mail-ca.pem."""
    import subprocess
    certificate, key = directory / "mail-ca.pem", directory / "mail-key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key,
                    "-out", certificate, "-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
