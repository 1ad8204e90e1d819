"""The one way a study is run: its prediction is stored and frozen, then it is measured and read.

``python -m experiments.NAME predict | measure | summary | figure``. Tables of a study lie in its
folder. A seal beside them, ``predictions.json`` or ``results.json``, says which tables they are,
their digests, the version of the code that made them and whether the prediction came first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed

from fusiontheory.checks import InputError
from fusiontheory.store import (
    Cell,
    RecordStore,
    check_writable,
    code_version,
    sha256,
    write_atomically,
)

__all__ = ["Records", "Study", "Tables", "verdict_on"]

Tables = dict[str, pd.DataFrame]
"""Tables by the name of their file, such as ``results.csv``."""

WORDS = ("predict", "measure", "summary", "figure")
BEFORE, AFTER = "before the measurement", "written after the measurement"
_ROOT = Path(__file__).parent
_PREDICTED, _MEASURED = "predictions.json", "results.json"


@dataclass(frozen=True)
class Records:
    """What is computed once and found again: a folder of records for one study.

    Attributes:
        root: of all studies' records.
        name: of the study, its folder there.
    """

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.root / self.name

    def apart(self, description: Any) -> Path:
        """Return a folder for a simulation's own records, another for each description of it."""
        return self.folder / sha256(description)[:12]

    def __bool__(self) -> bool:
        """Whether anything is recorded."""
        store = RecordStore(self.root)
        return store.database.exists() and any(x.study == self.name for x in store.status())

    def computed(
        self, cells: Sequence[Cell], compute: Callable[[Cell], Any], jobs: int = 1
    ) -> pd.DataFrame:
        """Return the rows of all cells; those without a record are computed, and kept one by one.

        A cell has the version of the code that computes it, so that other code makes it anew.
        """
        store = RecordStore(self.root)
        store.check_writable()
        missing = store.missing(cells)
        computed = Parallel(n_jobs=jobs, return_as="generator")(
            delayed(compute)(c) for c in missing
        )
        for cell, rows in zip(missing, computed, strict=True):
            store.write(cell, rows)
        return store.read(self.name, cells)


@dataclass(frozen=True)
class Study:
    """A question with a stored prediction, a measurement and what is read off both.

    Attributes:
        name: of its folder in ``experiments/``.
        config: its settings.
        predict: tables from config and records; nothing of what is predicted is run.
        measure: tables from config, the stored prediction and records.
        summary: text from the tables; also from the prediction's alone.
        figure: draws the tables to a path without suffix.
        folder: of its tables; that of the name if not given.
        records: root of records; ``.cache/experiments`` if not given.
        reads: by seal ("predictions", "results") the tables stored elsewhere that it is made from;
            where one changes, the seal is of older code.
    """

    name: str
    config: Any
    predict: Callable[[Any, Records], Tables]
    measure: Callable[[Any, Tables, Records], Tables]
    summary: Callable[[Tables], str]
    figure: Callable[[Tables, Path], None]
    folder: Path | None = None
    records: Path = _ROOT.parent / ".cache" / "experiments"
    reads: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Do what a word of the command line asks; anything else ends with status 2."""
        name = f"experiments.{self.name}"
        usage = f"python -m {name} {{{' | '.join(WORDS)}}} [--anew]"
        parser = argparse.ArgumentParser(name, usage, __doc__, allow_abbrev=False)
        parser.add_argument("word", choices=WORDS)
        parser.add_argument("--anew", action="store_true", help="predict again; the old is kept")
        given = parser.parse_args(arguments)
        if given.anew and given.word != "predict":
            parser.error(f"--anew goes with predict, got it with {given.word}")
        try:
            print(self.do(given.word, given.anew))
        except InputError as error:
            parser.error(str(error))

    def do(self, word: str, anew: bool = False) -> str:
        """Do one step and return what it has to say.

        Raises:
            InputError: for an unknown word, a prediction that is missing or altered, or one that
                would replace the prediction of what is measured.
        """
        if word == "predict":
            self._predict(anew)
        elif word == "measure":
            predicted = self.stored(_PREDICTED)
            check_writable("folder", self.place)
            tables = self.measure(self.config, predicted, self._records)
            digest = _digest(self.place / _PREDICTED)
            self._store(_MEASURED, tables, {"prediction": digest})
        elif word == "figure":
            self.stored(_MEASURED)
            self.figure(self.tables(), self.place / "figure")
            return f"drawn: {self.place / 'figure.svg'}"
        elif word != "summary":
            raise InputError(f"word must be one of {', '.join(WORDS)}, got {word!r}")
        return "\n".join([*self._origin(), self.summary(self.tables())])

    def tables(self) -> Tables:
        """Return all stored tables, the prediction's and, where there are any, the results'."""
        seals = self._seals() or [_PREDICTED]
        return {name: table for seal in seals for name, table in self._read(seal)}

    def stored(self, seal: str = _PREDICTED) -> Tables:
        """Return the stored tables of a seal, by default the prediction as it was frozen.

        Raises:
            InputError: if there is none or it was altered.
        """
        return dict(self._read(seal))

    def _seals(self) -> list[str]:
        return [seal for seal in (_PREDICTED, _MEASURED) if (self.place / seal).exists()]

    def seals(self) -> Iterator[tuple[str, dict[str, Any], str]]:
        """Yield the name of each seal that is there, its facts, and the code's version now."""
        for seal in self._seals():
            yield seal.removesuffix(".json"), self._facts(seal), self._code(seal)

    def _code(self, seal: str) -> str:
        """Return the version of what makes a seal's tables: its code, and the tables it reads."""
        version = code_version(self.predict if seal == _PREDICTED else self.measure)
        read = self.reads.get(seal.removesuffix(".json"), ())
        return sha256([version, *map(_digest, read)])[:12] if read else version

    def _origin(self) -> Iterator[str]:
        for seal in self._seals():
            facts = self._facts(seal)
            order = f", {facts['order']}" if "order" in facts else ""
            name = seal.removesuffix(".json")
            yield f"{name}: of {facts['written']}, code {facts['code']}{order}"

    def _facts(self, seal: str) -> dict[str, Any]:
        path = self.place / seal
        try:
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return {**facts, "tables": dict(facts["tables"])}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is no seal ({error}); put it back (git has it)") from error

    @property
    def place(self) -> Path:
        """The folder of its tables."""
        return self.folder or _ROOT / self.name

    @property
    def _records(self) -> Records:
        return Records(self.records, self.name)

    def _predict(self, anew: bool) -> None:
        measured = (self.place / _MEASURED).exists() or bool(self._records)
        if (self.place / _PREDICTED).exists() and measured and not anew:
            raise InputError(
                f"{self.name} is measured and its prediction is frozen; --anew predicts again,"
                " keeps the old one under its date and says that it came after the measurement"
            )
        check_writable("folder", self.place)
        tables = self.predict(self.config, Records(self.records, f"{self.name}_predicted"))
        order = AFTER if measured else BEFORE
        self._store(_PREDICTED, tables, {"order": order})

    def _store(self, seal: str, tables: Tables, more: dict[str, str]) -> None:
        texts = {
            name: table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode()
            for name, table in tables.items()
        }
        if seal == _PREDICTED and self._keep_old(texts):
            return
        for name, text in texts.items():
            write_atomically(self.place / name, text)
        facts = {
            "code": self._code(seal),
            "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            **more,
            "tables": {name: _digest(self.place / name) for name in tables},
        }
        # Last, so that tables of an interrupted write do not pass for sealed ones.
        write_atomically(self.place / seal, (json.dumps(facts, indent=1) + "\n").encode())

    def _keep_old(self, texts: dict[str, bytes]) -> bool:
        """Copy a prediction that is to be replaced, altered or not, to names with the time of that.

        Returns:
            Whether there is nothing to replace: the same prediction is stored and sealed.
        """
        paths = [self.place / name for name in texts]
        seal = self.place / _PREDICTED
        if all(path.exists() and path.read_bytes() == texts[path.name] for path in paths):
            sealed = self._facts(_PREDICTED)["tables"] if seal.exists() else {}
            return bool(sealed == {path.name: _digest(path) for path in paths})
        now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H%M%S}"
        for path in [*paths, seal]:
            if path.exists():
                kept = path.with_name(f"{path.stem}-until-{now}{path.suffix}")
                write_atomically(kept, path.read_bytes())
        return False

    def _read(self, seal: str) -> Iterator[tuple[str, pd.DataFrame]]:
        word = "predict" if seal == _PREDICTED else "measure"
        run = f"run python -m experiments.{self.name} {word}"
        if not (self.place / seal).exists():
            raise InputError(f"{self.name} has no stored {seal.removesuffix('.json')}; {run}")
        for name, digest in self._facts(seal)["tables"].items():
            path = self.place / name
            if not path.exists() or _digest(path) != digest:
                raise InputError(
                    f"{path} is not the table that {seal} seals; put it back (git has it), or {run}"
                )
            yield name, pd.read_csv(path)


def verdict_on(tables: Tables, verdict: Callable[[pd.DataFrame], str]) -> str:
    """Return the verdict on the results or, where nothing is measured, the predictions."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].round(4).to_string(index=False)
    return verdict(tables["results.csv"])


def _digest(path: Path) -> str:
    """Return the SHA-256 of a text file, the same whatever its line ends."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
