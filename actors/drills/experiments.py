"""The drills there are: Chaos Toolkit experiments in chaos/, each with what it is about in `extensions`.

```yaml
extensions:
  - name: polytrade
    alert: FeedStale          # the alert the fault must raise; leave it out when it must raise none
    key: BTC_USDT_PERP        # what the alert is about, where it matters
    blast: one symbol         # what is disturbed, at most, in words
    stage: local              # which stage it needs, of chaos/stages
    quick: true               # one of those that run with the default tests
    fresh: true               # it leaves a stage behind that no other drill should use
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

__all__ = ["Drill", "DrillFault", "drills_folder", "read_drill", "read_drills"]

ROOT = Path(__file__).parents[2]
EXTENSION = "polytrade"
STAGE = "local"


class DrillFault(Exception):
    """What is wrong with an experiment's file."""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our extension of an experiment."""

    name: str
    blast: str
    alert: str = ""
    key: str = ""
    stage: str = STAGE
    quick: bool = False
    fresh: bool = False


class Drill(msgspec.Struct, frozen=True):
    """One experiment, read."""

    name: str  # of the file, without .yaml
    path: str
    title: str
    about: About
    experiment: dict[str, Any]


def drills_folder() -> Path:
    """Return where the experiments lie: beside the files one works with, or beside the program."""
    here = Path("chaos")
    return here if (here / "README.md").is_file() else ROOT / "chaos"


def read_drills(folder: Path) -> tuple[list[Drill], list[DrillFault]]:
    """Return all drills of a folder by name, and what is wrong with those that cannot be read."""
    found: list[Drill] = []
    faults: list[DrillFault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(read_drill(path))
        except DrillFault as fault:
            faults.append(fault)
    return found, faults


def read_drill(path: Path) -> Drill:
    """Return one drill. Errors: DrillFault, OSError."""
    try:
        experiment = yaml.safe_load(path.read_text(encoding="utf-8"))
        extension = next(one for one in experiment["extensions"] if one["name"] == EXTENSION)
        about = msgspec.convert(extension, About)
        return Drill(path.stem, str(path), str(experiment["title"]), about, experiment)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DrillFault(f"{path}: {error}") from None
    except (KeyError, TypeError, StopIteration):
        text = f"{path}: no experiment with a title and `extensions: [{{name: {EXTENSION}, blast: ...}}]`"
        raise DrillFault(text) from None
