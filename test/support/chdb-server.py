"""Answers ClickHouse's HTTP interface with the engine of chdb, which has none: a statement in the body or in `query`, settings
in the URL, the exception's code in a header. Prints its port, and ends with its standard input.

usage: python chdb-server.py FOLDER
"""

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb import session

engine = session.Session(sys.argv[1])
turn = threading.Lock()
# Parameters of the HTTP interface that are not settings of the engine.
of_http = {"query", "wait_end_of_query", "buffer_size", "query_id"}


def formatted(statement):
    """The statement without its FORMAT, and the format."""
    found = re.fullmatch(r"(.*)\sFORMAT (\w+)\s*", statement, re.DOTALL)
    return found.groups() if found else (statement, "TabSeparated")


def answer(target, body):
    parameters = parse_qsl(urlsplit(target).query, keep_blank_values=True)
    statement = dict(parameters).get("query", "") + body.decode()
    settings = [f"{name} = '{value}'" for name, value in parameters if name not in of_http]
    select, form = formatted(statement)
    # An INSERT has its own FORMAT and its rows; only SELECT, DESCRIBE and DDL arrive here.
    if settings and select.lstrip().upper().startswith("SELECT"):
        select += " SETTINGS " + ", ".join(settings)
    with turn:
        return engine.query(select, form).bytes() or b""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            self.reply(200, answer(self.path, body))
        except Exception as error:
            code = re.search(r"Code: (\d+)\.", str(error))
            self.reply(500, str(error).encode(), code and code.group(1))

    def reply(self, status, content, code=None):
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        if code:
            self.send_header("x-clickhouse-exception-code", code)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
