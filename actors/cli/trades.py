"""`polytrade trades`: the trade journal: what was entered and left, why, and what it brought."""

from __future__ import annotations

import csv
import io
from typing import Any

import click

from actors.cli.data_files import instant as instant_option
from actors.cli.journal import open_reader
from actors.cli.output import echo, json_option, note, print_json, write_text
from actors.cli.shown import age, instant, money, signed_money, table_text
from actors.cli.targets import deployment_options, find_target, load_instruments, split_words
from actors.domain.money import format_e8

__all__ = ["trades"]

COLUMNS = (
    *(("EXIT", False), ("HELD", True), ("SYMBOL", False), ("STRATEGY", False), ("SIDE", False)),
    *(("CONTRACTS", True), ("ENTRY", True), ("EXIT AT", True), ("GROSS", True), ("FEES", True)),
    *(("FUNDING", True), ("NET", True), ("SLIPPAGE", True), ("ENTERED BECAUSE", False)),
    *(("LEFT BECAUSE", False), ("ENTRY ORDER", False), ("EXIT ORDER", False)),
)
TEXT_COLUMNS = (0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16)  # reasons are for wider papers
CSV_FIELDS = (
    *("account", "symbol", "strategy", "side", "contracts", "entry_at", "exit_at", "held_s"),
    *("entry_price", "exit_price", "gross_usdt", "fees_usdt", "funding_usdt", "net_usdt", "slippage_usdt"),
    *("slippage_is_whole", "liquidated", "entry_why", "exit_why", "entry_order", "exit_order", "trade_ids"),
)


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--symbol", default="", help="Only trades in this symbol.")
@click.option("--strategy", default="", metavar="ADDRESS", help="Only trades of this strategy.")
@click.option("--from", "begin", default="", metavar="TIME", help="Only trades that ended at or after this.")
@click.option("--to", "end", default="", metavar="TIME", help="Only trades that ended before this.")
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV: one line a trade, exact amounts in USDT.")
@click.option("--html", default="", metavar="PATH", help="Write a page that stands alone.")
@deployment_options
@json_option
def trades(
    words: tuple[str, ...],
    symbol: str,
    strategy: str,
    begin: str,
    end: str,
    is_csv: bool,
    html: str,
    environments: tuple[str, ...],
    inputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """List round trips with their reasons, costs and the ids that `polytrade why` takes."""
    from actors.audit.trades import trade_journal

    file, _ = split_words(words)
    target = find_target(file, environments, inputs)
    instruments = load_instruments(target, environments, inputs)
    with open_reader(target) as reader:
        found = trade_journal(reader, instruments)
    from_ns, to_ns = instant_option(begin, "--from"), instant_option(end, "--to")
    chosen = [
        trip
        for trip in found.ended
        if (not symbol or trip.symbol == symbol)
        and (not strategy or trip.strategy == strategy)
        and from_ns <= trip.exit_at_ns
        and (not to_ns or trip.exit_at_ns < to_ns)
    ]
    is_part = bool(symbol or strategy or begin or end)
    still_open = [] if is_part else found.open
    if as_json:
        print_json(_plain(chosen, still_open, [] if is_part else found.totals))
    elif is_csv:
        echo(_csv(chosen, instruments).rstrip("\n"))
    elif html:
        write_text(html, _page(target.name, chosen, still_open, found, instruments))
    else:
        _tell(chosen, still_open, [] if is_part else found.totals, instruments)


def _tell(chosen: list[Any], still_open: list[Any], totals: list[Any], instruments: Any) -> None:
    heads = [COLUMNS[index][0] for index in TEXT_COLUMNS]
    numbers = frozenset(place for place, index in enumerate(TEXT_COLUMNS) if COLUMNS[index][1])
    rows = [
        tuple(cells[index] for index in TEXT_COLUMNS)
        for cells in (_cells(trip, instruments) for trip in [*chosen, *still_open])
    ]
    if rows:
        echo(table_text([tuple(heads), *rows], numbers))
    net = sum(trip.net_usdt for trip in chosen)
    note(f"{len(chosen)} trades ended, net {signed_money(net)} USDT; {len(still_open)} still open")
    for one in totals:
        note(_sum_text(one, chosen, still_open))


def _sum_text(one: Any, chosen: list[Any], still_open: list[Any]) -> str:
    """Return how the trades of an account add up to its ledger."""
    ended = sum(trip.net_usdt for trip in chosen if trip.account == one.account)
    begun = sum(trip.net_usdt for trip in still_open if trip.account == one.account)
    parts = [f"{one.account}: began with {money(one.initial_usdt)}", f"ended {signed_money(ended)}"]
    parts += [f"open so far {signed_money(begun)}"]
    if one.adjusted_usdt:
        parts.append(f"in and out {signed_money(one.adjusted_usdt)}")
    return ", ".join(parts) + f": cash {money(one.cash_usdt)} USDT by the ledger"


def _cells(trip: Any, instruments: Any) -> list[str]:
    instrument = instruments[trip.symbol]
    closed = trip.exit_ticks_sum
    slippage = (
        "" if not trip.is_slippage_whole and not trip.slippage_usdt else signed_money(trip.slippage_usdt, 4)
    )
    return [
        instant(trip.exit_at_ns) if trip.exit_at_ns else "open",
        age(trip.held_ns) if trip.exit_at_ns else "-",
        trip.symbol,
        trip.strategy or "-",
        trip.side + (" liquidated" if trip.is_liquidated else ""),
        f"{trip.contracts:,}",
        _average(instrument, trip.entry_ticks_sum, trip.contracts),
        _average(instrument, closed, trip.contracts) if trip.exit_at_ns else "-",
        *(signed_money(trip.gross_usdt, 4), money(trip.fees_usdt, 4), money(trip.funding_usdt, 4)),
        *(signed_money(trip.net_usdt, 4), slippage),
        *(trip.entry_why, trip.exit_why, trip.entry_order, trip.exit_order),
    ]


def _average(instrument: Any, ticks_sum: int, contracts: int) -> str:
    return str(instrument.price_text(round(ticks_sum / contracts))) if contracts else "-"


def _page(name: str, chosen: list[Any], still_open: list[Any], found: Any, instruments: Any) -> str:
    from actors.audit.trades_page import page

    net = sum(trip.net_usdt for trip in chosen)
    said = [
        f"{len(chosen)} trades ended, net {signed_money(net)} USDT. Prices are averages; amounts in USDT."
    ]
    if still_open or len(chosen) == len(found.ended):
        said += [_sum_text(one, chosen, still_open) + "." for one in found.totals]
    rows = [_cells(trip, instruments) for trip in chosen]
    open_rows = [_cells(trip, instruments) for trip in still_open]
    tables = [("Trades that ended", COLUMNS, rows), ("Still open", COLUMNS, open_rows)]
    return page(f"Trades of {name}", " ".join(said), tables)


def _csv(chosen: list[Any], instruments: Any) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(CSV_FIELDS)
    for trip in chosen:
        instrument = instruments[trip.symbol]
        exact = (trip.gross_usdt, trip.fees_usdt, trip.funding_usdt, trip.net_usdt, trip.slippage_usdt)
        table.writerow(
            [
                *(trip.account, trip.symbol, trip.strategy, trip.side, trip.contracts),
                *(instant(trip.entry_at_ns), instant(trip.exit_at_ns), f"{trip.held_ns / 1e9:.3f}"),
                _average(instrument, trip.entry_ticks_sum, trip.contracts).replace(",", ""),
                _average(instrument, trip.exit_ticks_sum, trip.contracts).replace(",", ""),
                *(format_e8(amount) for amount in exact),
                *("yes" if trip.is_slippage_whole else "no", "yes" if trip.is_liquidated else "no"),
                *(trip.entry_why, trip.exit_why, trip.entry_order, trip.exit_order, " ".join(trip.trade_ids)),
            ]
        )
    return out.getvalue()


def _plain(chosen: list[Any], still_open: list[Any], totals: list[Any]) -> dict[str, Any]:
    """Return everything in the units of the house: ticks, 1e-8 USDT, nanoseconds."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(
        {"trades": chosen, "open": still_open, "accounts": totals}, str_keys=True
    )
    return found
