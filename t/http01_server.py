"""The web server of somebody who wants certificates: answers http-01 challenges, rightly or as a test says."""

import http.server
import pathlib
import socket
import threading

CHALLENGES = "/.well-known/acme-challenge/"


class Web:
    """Serves `answers` (token -> body, or (status, headers, body)), then files of `directory`; remembers what was asked."""

    def __init__(self, port, directory, address="127.0.0.1"):
        self.answers, self.directory, self.requests = {}, pathlib.Path(directory), []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.requests.append(self.path)
                status, headers, body = web.find(self.path.removeprefix(CHALLENGES))
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body.encode())
                except OSError:
                    pass  # the validator had read enough

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

        self.server = Server((address, port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def find(self, token):
        answer = self.answers.get(token)
        if answer is None and "/" not in token and (self.directory / token).is_file():
            answer = (self.directory / token).read_text()
        if answer is None:
            return 404, {}, "not here"
        return answer if isinstance(answer, tuple) else (200, {"Content-Type": "text/plain"}, answer)

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
