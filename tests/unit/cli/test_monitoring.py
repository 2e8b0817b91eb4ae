"""`polytrade monitoring`: writes once, says what it wrote, and sees when it is out of date."""

from __future__ import annotations

from pathlib import Path

LIVE = "config/live.yaml"


def test_files_are_written_once(cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = cli("monitoring", LIVE, "--out", str(out))
    written = first.stdout.split()
    assert first.exit_code == 0
    assert str(out / "alerts" / "slo.rules.yaml") in written
    assert sorted(written) == sorted(str(path) for path in out.rglob("*") if path.is_file())
    again = cli("monitoring", LIVE, "--out", str(out))
    assert (again.exit_code, again.stdout) == (0, "")
    assert "up to date" in again.stderr


def test_what_is_out_of_date_is_named_and_left_alone(cli, tmp_path: Path) -> None:
    cli("monitoring", LIVE, "--out", str(tmp_path))
    rules = tmp_path / "alerts" / "outside.rules.yaml"
    rules.write_text("groups: []\n")
    found = cli("monitoring", LIVE, "--out", str(tmp_path), "--check")
    assert (found.exit_code, rules.read_text()) == (11, "groups: []\n")
    assert str(rules) in found.stderr
    assert "slo.rules" not in found.stderr


def test_what_makes_the_files_useless_is_said(cli, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    shipped = cli("monitoring", LIVE, "--out", str(tmp_path / "a"))
    assert "control: {http: {port: 9464}}" in shipped.stderr
    assert "runbooks_url" in shipped.stderr
    over.write_text(
        "control: {http: {port: 9464}}\nmonitoring: {runbooks_url: 'https://git.example/runbooks'}\n"
    )
    fit = cli("monitoring", LIVE, str(over), "--out", str(tmp_path / "b"))
    assert (fit.exit_code, fit.stderr) == (0, "")


def test_a_file_with_faults_makes_nothing(cli, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text('slo: {answers: {objective: "2"}}\n')
    found = cli("monitoring", LIVE, str(over), "--out", str(tmp_path / "out"))
    assert found.exit_code == 3
    assert not (tmp_path / "out").exists()
