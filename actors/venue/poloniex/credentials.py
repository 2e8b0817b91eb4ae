"""The key of one account: held where it is used, shown nowhere."""

from __future__ import annotations

from actors.domain.place import Place

__all__ = ["Credentials", "credentials_of"]

REFERENCE = "secret://"
SHOWN = 4  # last characters of the key id, enough to tell two keys apart


class Credentials:
    """A key and its secret. Text made of it, by whatever way, shows the end of the key at most."""

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self.secret = secret.encode()

    @property
    def shown(self) -> str:
        """What an operator may see."""
        return "..." + self.key[-SHOWN:] if len(self.key) > 2 * SHOWN else "..."

    def __repr__(self) -> str:
        return f"Credentials({self.shown})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("credentials are not to be copied or stored")


def credentials_of(key: str, secret: str, place: Place) -> Credentials | None:
    """Return what two settings stand for; None when one of them is empty, or a reference nobody resolved."""
    values = [place.secrets.get(text, "" if text.startswith(REFERENCE) else text) for text in (key, secret)]
    return Credentials(*values) if all(values) else None
