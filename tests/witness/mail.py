"""A real SMTP server receives the mails of `sekisho dev`, and reads them with Python's own parser."""

import email
import email.policy
import os
import queue
import re
import socket
import subprocess
import tempfile
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from common import PASSWORD, call, check, finish, new_address, succeed


class Server(SMTP):
    """Notes recipients as they came: the parser takes their quotes away."""

    async def smtp_RCPT(self, arg):
        await super().smtp_RCPT(arg)
        self.envelope.raw = [*getattr(self.envelope, "raw", []), arg.removeprefix("TO:")]


class Mailbox(Controller):
    """Keeps every mail: the envelope's recipients and the bytes."""

    def __init__(self):
        self.mails = queue.Queue()
        # Port 0 would not be known to the controller's own first connection, so a free one is asked for.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        super().__init__(self, hostname="127.0.0.1", port=port)

    def factory(self):
        return Server(self)

    async def handle_DATA(self, server, session, envelope):
        self.mails.put((envelope.raw, envelope.content))
        return "250 OK"


def start_service(folder, smtp_port):
    environment = {
        **os.environ,
        "SEKISHO_MAIL__SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "SEKISHO_MAIL__FROM": "関所 <no-reply@sekisho.example>",
    }
    command = [os.environ["SEKISHO_BIN"], "dev", "--port", "0", "--data", folder, "--limits", "off"]
    service = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told = ""
    for line in service.stdout:
        told += line
        if line.startswith("  API"):
            # Read on, or the service would stop at a full pipe.
            threading.Thread(target=service.stdout.read, daemon=True).start()
            return service, line.split()[1]
    raise SystemExit(f"not ok - mail: the service did not start:\n{told}")


mailbox = Mailbox()
mailbox.start()


def sign_up(address, **more):
    body = {"identifier": address, "password": PASSWORD, **more}
    token = succeed(issuer, "POST", "/v1/sign-ups", body)["sign_up_token"]
    recipients, content = mailbox.mails.get(timeout=15)
    return token, recipients, email.message_from_bytes(content, policy=email.policy.default), content


def code_in(mail):
    return re.search(r"^\s*(\d{6})\s*$", mail.get_content(), re.MULTILINE).group(1)


def arrives_and_verifies():
    address = new_address()
    token, recipients, mail, content = sign_up(address)
    assert recipients == [f"<{address}>"], recipients
    assert mail["To"].addresses[0].addr_spec == address, mail["To"]
    assert mail["From"].addresses[0].addr_spec == "no-reply@sekisho.example", mail["From"]
    assert mail["From"].addresses[0].display_name == "関所", mail["From"]
    assert mail["Message-ID"] and mail["Date"].datetime and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain" and not mail.is_multipart()
    assert mail.get_content_charset() == "utf-8"
    assert not mail.defects and content.isascii()
    code = code_in(mail)
    # Previews of mails and of locked screens show the subject.
    assert code not in mail["Subject"], mail["Subject"]
    flow = succeed(issuer, "POST", "/v1/sign-ups/verify", {"sign_up_token": token, "code": code})
    assert flow["next"] == "enrol_second_factor", flow


def lines_are_readable():
    mail = sign_up(new_address())[2]
    for line in mail.get_content().splitlines():
        assert len(line) <= 120 and "{" not in line and "\u2068" not in line and "\u2069" not in line, line
    assert all(c not in mail["Subject"] for c in "{\u2068\u2069"), mail["Subject"]


def carrier_address_is_quoted():
    # Old addresses of Japanese carriers break the rules of RFC 5321 and live on.
    for local in ["a..b", "ab."]:
        token, recipients, mail, content = sign_up(f"{local}@docomo.ne.jp")
        assert recipients == [f'<"{local}"@docomo.ne.jp>'], recipients
        assert b'\nTo: "' + local.encode() + b'"@docomo.ne.jp\r\n' in b"\n" + content, content[:600]
        succeed(issuer, "POST", "/v1/sign-ups/verify", {"sign_up_token": token, "code": code_in(mail)})


def hostile_name_stays_text():
    address = new_address()
    hostile = "Eve\r\nBcc: evil@evil.example\r\n\r\nVisit https://evil.example"
    body = {"identifier": address, "password": PASSWORD, "display_name": hostile}
    status, answer = call(issuer, "POST", "/v1/sign-ups", body)
    if status == 422:
        assert answer["errors"][0]["pointer"].endswith("display_name"), answer
        # What remains possible is a name on one line.
        sent = sign_up(address, display_name="Eve <evil@evil.example>, Bcc: evil@evil.example")
    else:
        assert status == 202, answer
        recipients, content = mailbox.mails.get(timeout=15)
        sent = None, recipients, email.message_from_bytes(content, policy=email.policy.default), content
    _, recipients, mail, content = sent
    assert recipients == [f"<{address}>"] and mail["Bcc"] is None and len(mail["To"].addresses) == 1, content
    assert len(mail.get_all("Subject")) == 1
    # An address that nobody proved must not carry a stranger's words.
    assert "evil" not in mail.get_content(), mail.get_content()


def japanese_is_sent_too():
    mail = sign_up(new_address(), locale="ja")[2]
    assert re.search("[ぁ-ん]", mail["Subject"]) and re.search("[ぁ-ん]", mail.get_content())


with tempfile.TemporaryDirectory() as folder:
    service, issuer = start_service(folder, mailbox.port)
    try:
        check("SMTP: the sign-up mail arrives, and its code verifies", arrives_and_verifies)
        check("SMTP: subject and text are plain and readable", lines_are_readable)
        check("SMTP: an address that only old carriers allow is quoted", carrier_address_is_quoted)
        check("SMTP: a hostile display name reaches neither header nor text", hostile_name_stays_text)
        if "ja" in succeed(issuer, "GET", "/v1/configuration")["locales"]:
            check("SMTP: a mail in Japanese", japanese_is_sent_too)
    finally:
        service.terminate()
        service.wait(timeout=20)
        mailbox.stop()
finish()
