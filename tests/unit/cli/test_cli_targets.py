"""Which deployment a command is about, and which ones run."""

import os
import subprocess
import sys
from dataclasses import replace

import click
import pytest

from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.cli.running import announced, run_directory, running_deployments
from actors.cli.targets import find_target, load_topology, running_options, split_words
from tests.architecture.sources import ROOT
from tests.unit.cli.conftest import running_house
from tests.unit.control.house import Plan


def test_the_first_word_is_a_file_when_it_looks_like_one(tmp_path) -> None:
    assert split_words(["a.yaml", "oms/main"], "ACTOR") == ("a.yaml", ["oms/main"])
    assert split_words(["oms/main"], "ACTOR") == (None, ["oms/main"])
    assert split_words([str(tmp_path), "x"], "ACTOR") == (str(tmp_path), ["x"])
    assert split_words([], "ACTOR?") == (None, [])


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a.yaml"], ["a.yaml", "b", "c"]])
def test_too_few_or_too_many_words_are_refused(words) -> None:
    with pytest.raises(click.UsageError):
        split_words(words, "ACTOR")


def test_without_a_file_nothing_runs() -> None:
    with pytest.raises(Problem) as caught:
        find_target(None)
    assert caught.value.code is ExitCode.NOT_RUNNING


def test_without_a_file_the_only_one_that_runs_is_meant(tmp_path) -> None:
    plan = Plan(tmp_path / "a")
    with announced(running_house(plan)):
        assert find_target(None).socket == plan.socket_path
    assert running_deployments() == []


def test_without_a_file_several_are_listed(tmp_path) -> None:
    one, two = Plan(tmp_path / "a"), Plan(tmp_path / "b")
    with announced(running_house(one, "/x/one.yaml")), announced(running_house(two, "/x/two.yaml")):
        with pytest.raises(Problem, match=r"(?s)one\.yaml.*two\.yaml"):
            find_target(None)
        assert len(running_deployments()) == 2


def test_a_file_that_runs_is_not_read_again(tmp_path) -> None:
    file = tmp_path / "house.yaml"
    file.write_text("this: is, no: yaml: [")
    plan = Plan(tmp_path / "a")
    with announced(running_house(plan, str(file))):
        assert find_target(str(file)).journal == plan.journal_path


def test_a_file_that_does_not_run_is_read() -> None:
    target = find_target(str(ROOT / "config" / "paper.yaml"))
    assert target.name == "paper"
    assert target.socket.parent == target.journal


def test_a_journals_folder_is_a_target(tmp_path) -> None:
    assert find_target(str(tmp_path)).journal == tmp_path


def test_a_record_of_a_dead_process_is_removed(tmp_path) -> None:
    program = (
        "import os\n"
        "from actors.cli.running import Running, announced\n"
        f"one = Running('x', 'paper', 'x.yaml', '', {str(tmp_path)!r}, 's', 1)\n"
        "with announced(one):\n    os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env={**os.environ})
    assert len(list(run_directory().glob("*.json"))) == 1
    assert running_deployments() == []
    assert list(run_directory().glob("*.json")) == []


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_run(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with announced(running_house(Plan(tmp_path / "a"))):
        pass


def test_without_a_session_the_folder_is_below_home(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_directory() == tmp_path / ".local" / "state" / "polytrade" / "run"


def test_inputs_are_name_and_value() -> None:
    with pytest.raises(Problem, match="no input"):
        load_topology([str(ROOT / "config" / "paper.yaml")], (), ("trending",))
    topology = load_topology([str(ROOT / "config" / "paper.yaml")], (), ("trending=BTC_USDT_PERP",))
    assert [plan.address for plan in topology.actors if plan.name == "trend"] == ["trend/BTC_USDT_PERP"]


def test_a_file_is_read_as_it_runs_unless_somebody_says_otherwise(tmp_path, capsys) -> None:
    one = replace(
        running_house(Plan(tmp_path / "a"), "/x/a.yaml"), environment="stage vault", inputs=("a=1 2",)
    )
    with announced(one):
        assert running_options(["/x/a.yaml"], (), ()) == (("stage", "vault"), ("a=1 2",))
        assert (
            "/x/a.yaml runs with -e stage -e vault --input a=1 2, and is read so" in capsys.readouterr().err
        )
        assert running_options(["/x/a.yaml"], ("night",), ()) == (("night",), ())
        assert running_options(["/x/b.yaml"], (), ()) == ((), ())
        assert running_options(["/x/a.yaml", "/x/b.yaml"], (), ()) == ((), ())
        assert capsys.readouterr().err == ""
    assert running_options(["/x/a.yaml"], (), ()) == ((), ())
