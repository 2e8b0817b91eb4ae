"""Where notifications go: what an operator writes about each way out of the node."""

from __future__ import annotations

from typing import Annotated, Literal

from actors.runtime.messages import Severity
from actors.runtime.settings import Duration, Reload, Settings, setting

__all__ = ["EscalationStep", "Mail", "Route"]

LIVE = Reload.LIVE
MINUTE_NS = 60_000_000_000
WEB = ("https://", "http://", "secret://")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Channel -> settings of a route that it needs, and those that it may have besides.
FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "log": ((), ()),
    "webhook": (("url",), ("authorization",)),
    "slack": (("url",), ()),
    "pagerduty": (("routing_key",), ("url",)),
    "telegram": (("token", "chat"), ("url",)),
    "email": (("mail",), ()),
}
OWN_FIELDS = ("url", "authorization", "routing_key", "token", "chat", "mail")


class Mail(Settings, frozen=True, kw_only=True):
    """A mail server that takes our messages, and whom they are for."""

    host: Annotated[str, setting("The mail server.", reload=LIVE, examples=("smtp.example.com",))]
    port: Annotated[
        int,
        setting("Its port: mostly 587 with starttls, 465 with tls.", minimum=1, maximum=65535, reload=LIVE),
    ] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"], setting("How the connection is encrypted.", reload=LIVE)
    ] = "starttls"
    ca_file: Annotated[
        str,
        setting(
            "File with the certificates that the server's is checked against, relative to the deployment "
            "file. Empty: those of the system.",
            reload=LIVE,
        ),
    ] = ""
    username: Annotated[str, setting("Account at the mail server. Empty: none is needed.", reload=LIVE)] = ""
    password: Annotated[
        str,
        setting(
            "Its password.", reload=LIVE, secret=True, examples=("secret://polytrade/alerts#mail_password",)
        ),
    ] = ""
    sender: Annotated[str, setting("Who it comes from.", reload=LIVE, examples=("polytrade@example.com",))]
    to: Annotated[tuple[str, ...], setting("Who gets it.", reload=LIVE, examples=(["ops@example.com"],))]

    def __post_init__(self) -> None:
        for field, address in (("sender", self.sender), *(("to", one) for one in self.to)):
            name, _, host = address.rpartition("@")
            if not (name and host) or any(letter.isspace() or letter in "<>," for letter in address):
                raise ValueError(f"{field} has {address!r}, which is no mail address such as ops@example.com")
        if not self.to:
            raise ValueError("a mail is for somebody: write to: [ops@example.com]")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password go together: write both, or neither")
        if self.password and self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("with security none everybody on the way could read the password")


class Route(Settings, frozen=True, kw_only=True):
    """Where notifications of at least one severity go."""

    name: Annotated[str, setting("What this route is called in lists and alerts; unique.")] = "log"
    channel: Annotated[
        Literal["log", "webhook", "slack", "pagerduty", "telegram", "email"],
        setting("How it is delivered.", reload=LIVE),
    ] = "log"
    severity_min: Annotated[
        Severity, setting("Less important notifications do not take this route.", reload=LIVE)
    ] = Severity.INFO
    at_once: Annotated[
        bool, setting("Told as soon as there is something to tell; else by escalation only.", reload=LIVE)
    ] = True
    resolved: Annotated[bool, setting("Also tell when an alert that was told here is over.", reload=LIVE)] = (
        True
    )
    acknowledged: Annotated[
        bool, setting("Also tell when somebody takes care of an alert that was told here.", reload=LIVE)
    ] = True
    url: Annotated[
        str,
        setting(
            "Where it is posted to: text, or a reference to a secret; shown nowhere. Needed for webhook and "
            "slack; pagerduty and telegram have one, and may be given another.",
            reload=LIVE,
            secret=True,
            plain=True,
            examples=("https://alerts.example/hook", "secret://polytrade/alerts#slack_url"),
        ),
    ] = ""
    authorization: Annotated[
        str,
        setting(
            "Value of the header Authorization of a webhook.",
            reload=LIVE,
            secret=True,
            examples=("secret://polytrade/alerts#hook_authorization",),
        ),
    ] = ""
    routing_key: Annotated[
        str,
        setting(
            "Integration key of a PagerDuty service (Events API v2).",
            reload=LIVE,
            secret=True,
            examples=("secret://polytrade/alerts#pagerduty_key",),
        ),
    ] = ""
    token: Annotated[
        str,
        setting(
            "Token of a Telegram bot.",
            reload=LIVE,
            secret=True,
            examples=("secret://polytrade/alerts#telegram_token",),
        ),
    ] = ""
    chat: Annotated[
        str,
        setting(
            "Telegram chat: its number, or @name of a channel.", reload=LIVE, examples=("-1001234567890",)
        ),
    ] = ""
    mail: Annotated[Mail | None, setting("Server and addresses of the channel email.", reload=LIVE)] = None

    def __post_init__(self) -> None:
        needed, allowed = FIELDS[self.channel]
        given = {name for name in OWN_FIELDS if getattr(self, name)}
        missing = [name for name in needed if name not in given]
        if "url" in needed and not self.url.startswith(WEB):
            raise ValueError(
                f"route {self.name}: a {self.channel} needs a url that starts with https:// or http://, "
                "or a reference secret://mount/path#key"
            )
        if missing:
            raise ValueError(f"route {self.name}: channel {self.channel} needs {' and '.join(missing)}")
        if self.url and not self.url.startswith(WEB):
            raise ValueError(f"route {self.name}: its url must start with https:// or http://")
        for name in OWN_FIELDS:
            if name in given and name not in needed + allowed:
                users = " and ".join(one for one, both in FIELDS.items() if name in both[0] + both[1])
                raise ValueError(f"route {self.name}: {name} is for {users}, not for {self.channel}")


class EscalationStep(Settings, frozen=True, kw_only=True):
    """Who else is told when nobody has acknowledged an alert."""

    after: Annotated[
        Duration,
        setting("So long after it was first told.", minimum=1_000_000_000, reload=LIVE, examples=("10m",)),
    ]
    routes: Annotated[
        tuple[str, ...], setting("Names of the routes that are told.", reload=LIVE, examples=(["second"],))
    ]
    severity_min: Annotated[Severity, setting("Less important alerts do not go this far.", reload=LIVE)] = (
        Severity.PAGE
    )
