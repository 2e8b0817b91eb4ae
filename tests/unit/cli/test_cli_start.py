"""The command line as a whole: it starts quickly, knows its verbs, and says in words what went wrong."""

import subprocess
import sys

import click
import pytest

from actors.cli.exit_codes import MEANINGS, ExitCode, exit_code_table
from actors.cli.failures import journal_code, tell
from actors.cli.main import COMMANDS, LazyGroup, main
from actors.cli.problems import Problem
from actors.runtime.errors import JournalError
from tests.architecture.sources import ROOT


def test_help_names_every_verb(cli) -> None:
    shown = cli("--help")
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_has_help(cli, name) -> None:
    shown = cli(name, "--help")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"Usage: polytrade {name}")
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from actors.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'rich', 'aiohttp', 'msgspec', 'yaml', 'numpy', 'lmdb', 'pykka', 'prometheus_client'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_misspelled_verb_gets_a_suggestion(cli) -> None:
    shown = cli("statsu")
    assert shown.exit_code == ExitCode.USAGE
    assert "did you mean 'status'?" in shown.stderr


def test_an_unknown_option_is_a_usage_error(cli) -> None:
    assert cli("ps", "--colour").exit_code == ExitCode.USAGE


def test_too_many_words_are_a_usage_error(cli) -> None:
    shown = cli("inspect", "one", "two", "three")
    assert shown.exit_code == ExitCode.USAGE
    assert "[FILE] ACTOR" in shown.stderr


def broken_group(error: BaseException) -> click.Group:
    group = LazyGroup("broken")

    def get_command(ctx: click.Context, name: str) -> click.Command:
        def fail() -> None:
            raise error

        return click.Command(name, callback=fail)

    group.get_command = get_command  # type: ignore[method-assign]
    return group


def run_broken(error: BaseException, capsys) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        broken_group(error).main(["status"], prog_name="polytrade")
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (Problem(ExitCode.REFUSED, "no", "ask again"), 5, "help: ask again"),
        (JournalError("x: this journal is in use by process 7; stop it"), 6, "in use by process 7"),
        (JournalError("x: the disk is full; free space"), 7, "disk is full"),
        (JournalError("x: the journal is at its limit of 5 bytes"), 7, "limit"),
        (JournalError("x: a record cannot be read: y"), 8, "cannot be read"),
        (OSError(13, "Permission denied"), 1, "Permission denied"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("odd"), 1, "fault of its own: ValueError: odd"),
    ],
)
def test_what_went_wrong_is_told_in_words_with_a_code(error, code, text, capsys) -> None:
    found, shown = run_broken(error, capsys)
    assert found == code
    assert text in shown
    assert "Traceback" not in shown


def test_debug_shows_the_traceback(monkeypatch) -> None:
    monkeypatch.setenv("POLYTRADE_DEBUG", "1")
    with pytest.raises(ValueError, match="odd"):
        broken_group(ValueError("odd")).main(["status"], prog_name="polytrade")


def test_faults_of_a_configuration_have_a_code_of_their_own(cli, tmp_path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("deployment: x\nmode: paper\nnonsense: 1\n")
    for verb in ("validate", "render", "graph", "up", "doctor"):
        shown = cli(verb, str(file))
        assert shown.exit_code == ExitCode.CONFIGURATION, verb
        assert "error[" in shown.stderr
        assert "Traceback" not in shown.stderr + shown.stdout


def test_every_exit_code_is_documented() -> None:
    assert set(MEANINGS) == set(ExitCode)
    assert exit_code_table() in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_verb_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`polytrade {name}" not in text] == []


def test_a_reader_that_has_seen_enough_ends_a_command_well() -> None:
    program = "from actors.cli.output import echo\nfor number in range(100_000): echo(str(number))"
    command = f"set -o pipefail; {sys.executable} -c '{program}' | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0\n", b"")


def test_exit_codes_pass_through(capsys) -> None:
    assert tell(SystemExit(7)) == 7
    assert tell(SystemExit("text")) == 1
    assert journal_code(JournalError("something else")) == ExitCode.FAILURE


def test_version_as_json(cli) -> None:
    import json

    found = json.loads(cli("version", "--json").stdout)
    assert found["dependencies"]["pykka"].startswith("4.")
    assert found["polytrade"] in cli("version").stdout


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nope"], "no such command 'nope'"),
        (["statsu"], "there is no command 'statsu'; did you mean 'status'?"),
        (["version", "--nope"], "no such option '--nope'"),
        (["init"], "missing argument 'FILE'"),
        (["inspect"], "wanted [FILE] ACTOR, got nothing"),
        (["status", "nope"], "'nope' is neither a deployment's file (.yaml) nor the folder of a journal"),
        (
            ["exchange", "--port", "99999"],
            "invalid value for '--port': 99999 is not in the range 0<=x<=65535",
        ),
        (["markets", "diff", "--url", "x"], "--url must be http://... or https://..., not 'x'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told_as_every_error_is(cli, words, error) -> None:
    found = cli(*words)
    assert (found.exit_code, found.stdout) == (2, "")
    first, second = found.stderr.splitlines()
    assert first == f"error: {error}"
    assert second.startswith("help: `polytrade")
    assert second.endswith("--help` shows how it is called")
