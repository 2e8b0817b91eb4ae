"""Which exchange a deployment's adapters speak to, so that it can stand behind the simulated line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from actors.deployment.secret_values import keep_secrets
from actors.deployment.topology import ActorPlan, Topology
from actors.exchange.server.price_path import PricePath
from actors.exchange.server.settings import AccountSettings, ServerSettings
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import Secret
from actors.secrets.reference import SecretReference, parse_reference
from actors.simulation.beginning import FAR_VENUES, ledger_usdt
from actors.simulation.exchange_side import ExchangeSide

__all__ = ["InventedSecrets", "exchange_of", "hosts_of", "names_of", "secrets_for"]

FUTURES = "_PERP"


class InventedSecrets:
    """A value for every reference, made of its name: simulated keys open nothing, so they need no store."""

    def fetch(self, reference: SecretReference) -> Secret:
        """See SecretSource."""
        return Secret("sim-" + str(reference).rpartition("/")[2].replace("#", "-"))


def secrets_for(topology: Topology) -> SecretKeeper:
    """Return a keeper of invented values."""
    return keep_secrets(topology, InventedSecrets())


def hosts_of(topology: Topology) -> set[str]:
    """Return the hosts, with ports, that adapters speak to."""
    found = set()
    for plan in topology.actors:
        for name in ("rest_url", "stream_url"):
            url = getattr(plan.settings, name, "")
            if url:
                found.add(urlsplit(url).netloc)
    return found


def exchange_of(
    topology: Topology,
    seed: int,
    paths: Mapping[str, PricePath] | None = None,
    cash_usdt: Mapping[str, int] | None = None,
) -> ExchangeSide | None:
    """Return the exchange with the deployment's accounts; None when no adapter speaks to one.

    `paths`: prices of symbols; `cash_usdt`: what accounts hold, in 1e-8 USDT, if not what ours begin with.
    """
    venues = [plan for plan in topology.actors if plan.kind in FAR_VENUES]
    if not venues and not hosts_of(topology):
        return None
    traded = [plan.place.variables["symbol"] for plan in topology.actors if "symbol" in plan.place.variables]
    listed = dict.fromkeys((*traded, *_watched(topology)))
    served = tuple(dict.fromkeys(one for one in map(_futures_of, listed) if one in topology.instruments))
    names = names_of(topology)
    settings = ServerSettings(
        accounts=tuple(
            _account(topology, plan, cash_usdt or {}) for plan in venues if names[_name(plan)] == _name(plan)
        ),
        symbols=served,
        seed=seed,
    )
    has_spot = any(not symbol.endswith(FUTURES) for symbol in listed)
    quiet = frozenset((*served, *(one.removesuffix(FUTURES) for one in served))).difference(traded)
    return ExchangeSide(settings, topology.instruments, has_spot=has_spot, quiet=quiet, paths=paths)


def _watched(topology: Topology) -> Iterator[str]:
    """Yield the symbols that somebody asks the exchange about without trading them."""
    for plan in topology.actors:
        if plan.kind == "catalog":
            yield from getattr(plan.settings, "symbols", ()) or topology.instruments


def _futures_of(symbol: str) -> str:
    """Return the futures symbol that the exchange derives a spot market from."""
    return symbol if symbol.endswith(FUTURES) else symbol + FUTURES


def names_of(topology: Topology) -> dict[str, str]:
    """Return the exchange's name for each of our accounts: those with one key are one account there."""
    by_key: dict[str, str] = {}
    venues = [plan for plan in topology.actors if plan.kind in FAR_VENUES]
    return {_name(plan): by_key.setdefault(_value(plan, "key"), _name(plan)) for plan in venues}


def _name(plan: ActorPlan) -> str:
    return plan.place.variables["account"]


def _account(topology: Topology, plan: ActorPlan, cash_usdt: Mapping[str, int]) -> AccountSettings:
    """Return an account as the exchange has it; one of each market may share a key, and so a name."""
    account, names = _name(plan), names_of(topology)
    deposits = {
        other.kind: cash_usdt.get(_name(other), ledger_usdt(topology, _name(other)))
        for other in topology.actors
        if other.kind in FAR_VENUES and names[_name(other)] == account
    }
    futures, spot = (deposits.get(kind, deposits[plan.kind]) for kind in FAR_VENUES)
    key, secret = (_value(plan, name) for name in ("key", "secret"))
    return AccountSettings(key=key, secret=secret, usdt=futures, spot={"USDT": spot}, name=account)


def _value(plan: ActorPlan, name: str) -> str:
    text: Any = getattr(plan.settings, name)
    reference = parse_reference(text)
    return text if reference is None else InventedSecrets().fetch(reference).value
