"""A mail server as far as a sender sees it: ESMTP with STARTTLS and logins (RFC 5321, 3207, 4954)."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

USER, PASSWORD = "polytrade", "planted-mail-password"
UNKNOWN = "nobody@example.com"


class MailServer:
    """Takes mails for everybody but one, from whoever logs in over an encrypted line."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = make_certificate(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.talk: list[str] = []  # the commands it was given
        self.refusals: list[str] = []  # whole answers to the end of DATA, one a mail
        self.offers_tls = True
        self.from_the_start = False  # encrypted from the first byte
        self.hangs_at = ""  # a command that is never answered
        self.drips = False
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                _Talk(outer, self.request).run()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Talk:
    """One connection."""

    def __init__(self, server: MailServer, line: Any) -> None:
        self.server = server
        self.line = line
        self.encrypted = self.known = False
        self.sender = ""
        self.to: list[str] = []

    def run(self) -> None:
        try:
            if self.server.from_the_start:
                self._encrypt()
            self.file = self.line.makefile("rb")
            self._say("220 mail.example.com ESMTP")
            while raw := self.file.readline():
                text = raw.decode("utf-8", "replace").rstrip("\r\n")
                word = text.split(" ", 1)[0].upper()
                self.server.talk.append(word)
                if word == self.server.hangs_at:
                    time.sleep(60)
                if not self._answer(word, text):
                    return
        except (OSError, ValueError):
            return

    def _say(self, text: str) -> None:
        raw = (text + "\r\n").encode()
        if not self.server.drips:
            self.line.sendall(raw)
            return
        for number in range(len(raw)):
            self.line.sendall(raw[number : number + 1])
            time.sleep(0.05)

    def _encrypt(self) -> None:
        self.line = self.server.context.wrap_socket(self.line, server_side=True)
        self.encrypted = True

    def _answer(self, word: str, text: str) -> bool:
        if word == "EHLO":
            tls = "250-STARTTLS\r\n" if self.server.offers_tls and not self.encrypted else ""
            login = "250-AUTH PLAIN LOGIN\r\n" if self.encrypted else ""
            self._say(f"250-mail.example.com\r\n{tls}{login}250 SIZE 1000000")
        elif word == "STARTTLS":
            self._say("220 2.0.0 Ready to start TLS")
            self._encrypt()
            self.file = self.line.makefile("rb")
        elif word == "AUTH":
            self._log_in(text)
        elif word == "MAIL" and not self.known:
            self._say("530 5.7.0 Authentication required")
        elif word == "MAIL":
            self.sender, self.to = text.partition(":<")[2].partition(">")[0], []
            self._say("250 2.1.0 Ok")
        elif word == "RCPT":
            who = text.partition(":<")[2].rstrip(">")
            if who == UNKNOWN:
                self._say("550 5.1.1 No such user here")
            else:
                self.to.append(who)
                self._say("250 2.1.5 Ok")
        elif word == "DATA":
            self._take()
        elif word in ("RSET", "NOOP"):
            self._say("250 2.0.0 Ok")
        elif word == "QUIT":
            self._say("221 2.0.0 Bye")
            return False
        else:
            self._say("502 5.5.2 Command not recognized")
        return True

    def _log_in(self, text: str) -> None:
        if not self.encrypted:
            self._say("538 5.7.11 Encryption required for requested authentication mechanism")
            return
        given = base64.b64decode(text.split()[2]).decode().split("\0")
        self.known = given[1:] == [USER, PASSWORD]
        self._say("235 2.7.0 Ok" if self.known else "535 5.7.8 Username and Password not accepted")

    def _take(self) -> None:
        self._say("354 End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        if self.server.refusals:
            self._say(self.server.refusals.pop(0))
            return
        mail = message_from_bytes(b"".join(lines), policy=default)
        self.server.mails.append((self.sender, self.to, mail))  # type: ignore[arg-type]
        self._say("250 2.0.0 Ok: queued")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that has signed itself, and its key."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    paths = (folder / "mail.pem", folder / "mail.key")
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths
