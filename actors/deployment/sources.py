"""Everything that a deployment is made of: the files, and what tells their content apart."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from actors.deployment.catalogs import catalog_files
from actors.deployment.faults import ConfigError, Fault, FaultLog
from actors.deployment.layers import environment_files, read_layers
from actors.deployment.loader import Reading
from actors.deployment.registry import KINDS
from actors.deployment.topology import Topology

__all__ = ["Sources", "fingerprint"]

MISSING = b"missing"


class Sources:
    """The files of one deployment, as they were read last; those that were looked for and not found too."""

    def __init__(
        self,
        paths: Sequence[str],
        environments: Sequence[str],
        inputs: Mapping[str, str],
        environment: Mapping[str, str],
    ) -> None:
        self._paths = tuple(paths)
        self._environments = tuple(environments)
        self._inputs = inputs
        self._environment = environment
        self.files: tuple[str, ...] = self._paths

    def fingerprint(self) -> str:
        """Return what tells the content of all files apart from any other."""
        return fingerprint(self.files)

    def load(self) -> Topology:
        """Read everything anew; `files` are known afterwards, whatever the faults. Errors: ConfigError."""
        log = FaultLog()
        root, files = read_layers(self._paths, self._environments, log)
        looked_for = [path for name in self._environments for path in environment_files(self._paths[0], name)]
        self.files = tuple(dict.fromkeys((*files, *looked_for)))
        if root is None:
            raise ConfigError(log.sorted())
        reading = Reading(root, files, log, KINDS)
        reading.check(self._inputs, self._environment)
        markets = catalog_files(reading.root, os.path.dirname(files[0]))
        self.files = tuple(dict.fromkeys((*self.files, *markets)))
        faults: tuple[Fault, ...] = log.sorted()
        if log.has_errors:
            raise ConfigError(faults)
        return reading.topology()


def fingerprint(files: Iterable[str]) -> str:
    """Return a hash over names and contents; a file that cannot be read is one that is not there."""
    found = hashlib.sha256()
    for name in files:
        try:
            content = hashlib.sha256(Path(name).read_bytes()).digest()
        except OSError:
            content = MISSING
        found.update(name.encode() + b"\0" + content)
    return found.hexdigest()
