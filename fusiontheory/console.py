"""What every command line here shares: errors in one line, options in groups, a progress bar.

A command line starts as ``app = application("What it does.")``. Its commands raise `InputError`
and need not catch it. typer makes an app of one command without a callback a command, not a
group of one: such a command is declared with ``cls=OneLineCommand``. A command of many options is
a function of few settings objects, `grouped`.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from fusiontheory.checks import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["OneLineCommand", "OneLineGroup", "application", "grouped", "progress_bar"]

_Returned = TypeVar("_Returned")

_USAGE_ERROR, _INTERRUPT = 2, 130

_LONGEST = 2000
"""Characters of a line that says what is wrong; the middle of a longer one is left out."""


class OneLineGroup(TyperGroup):
    """Commands under one name whose errors take one line; without arguments it prints its help.

    >>> OneLineGroup(name="tool").main(["no-such-command"], prog_name="tool")
    Traceback (most recent call last):
    SystemExit: 2
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit: 0, or the int a command returns, or 2 after ``error: ...`` on stderr."""
        if not (sys.argv[1:] if args is None else args):
            args = ["--help"]
        run = super().main
        settings = extra | {"windows_expand_args": windows_expand_args}
        return _in_one_line(run, standalone_mode, args, prog_name, complete_var, **settings)


class OneLineCommand(TyperCommand):
    """The same for a command line of one command: ``@app.command(cls=OneLineCommand)``.

    >>> command = OneLineCommand("tool", callback=lambda: 3)
    >>> command.main([], prog_name="tool", standalone_mode=False)
    3
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit: 0, or the int a command returns, or 2 after ``error: ...`` on stderr."""
        run = super().main
        settings = extra | {"windows_expand_args": windows_expand_args}
        return _in_one_line(run, standalone_mode, args, prog_name, complete_var, **settings)


def application(help_text: str, completion: bool = False) -> typer.Typer:
    """Return an empty command line: one-line errors, plain help.

    Args:
        help_text: what it does.
        completion: whether it has the options that install the shell's completion; for a command
            line with a name of its own.

    Its commands and its callback (options such as ``--version``) are added with decorators.

    >>> app = application("Count things.")
    >>> @app.command(cls=OneLineCommand)  # while it is the only one
    ... def count(n: int) -> None:
    ...     typer.echo(n)
    """
    return typer.Typer(
        cls=OneLineGroup,
        help=help_text,
        add_completion=completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def grouped(function: Callable[..., _Returned]) -> Callable[..., _Returned]:
    """Return the function with the fields of its dataclass parameters as its own parameters.

    A parameter annotated with a dataclass is replaced by the dataclass's fields: a field's
    annotation, such as ``Annotated[int, typer.Option(help=...)]``, and its default become those of
    a keyword parameter of the field's name, which is all that typer looks at. At the call the
    dataclasses are built again, in the order of the parameters.

    Raises:
        TypeError: if two groups, or a group and the function, have a parameter of one name.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Numbers:
    ...     seeds: int = 10
    >>> @grouped
    ... def run(numbers: Numbers, quiet: bool = False) -> object:
    ...     return numbers, quiet
    >>> list(inspect.signature(run).parameters), run(seeds=3)
    (['seeds', 'quiet'], (Numbers(seeds=3), False))
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type] = {}
    flat: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints[name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[name] = kind
            annotations = get_type_hints(kind, include_extras=True)
            flat += [_parameter(one, annotations[one.name]) for one in fields(kind)]
        else:
            flat.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))
    names = [parameter.name for parameter in flat]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TypeError(f"{function.__name__} has {', '.join(twice)} twice among its options")

    @functools.wraps(function)
    def command(**given: Any) -> _Returned:
        built = {
            name: kind(**{f.name: given.pop(f.name) for f in fields(kind) if f.name in given})
            for name, kind in groups.items()
        }
        return function(**built, **given)

    # What typer reads: the signature of all options, and the types by name.
    returned = hints.get("return", inspect.Signature.empty)
    signature = inspect.Signature(flat, return_annotation=returned)
    vars(command)["__signature__"] = signature
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    return command


def _parameter(field: Field[Any], annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def progress_bar() -> Progress:
    """Return a rich bar on stderr with done/total and time left; silent if that is no terminal.

    >>> with progress_bar() as bar:
    ...     for _ in bar.track(range(3), description="draws"):
    ...         pass
    """
    # rich takes longer to import than a command without a bar takes to run.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    # Not rich's own judgement of a terminal, which FORCE_COLOR overrules in log files.
    silent = sys.stderr is None or not sys.stderr.isatty()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        # A bar of rich 14 that is disabled ends with an empty line all the same.
        console=Console(stderr=True, quiet=silent),
        disable=silent,
    )


def _in_one_line(
    run: Callable[..., Any],
    standalone: bool,
    args: Sequence[str] | None,
    prog_name: str | None,
    complete_var: str | None,
    **settings: Any,
) -> Any:
    """Run a click ``main`` that raises, and turn what it raises into a line and a status."""
    names = {"args": args, "prog_name": prog_name, "complete_var": complete_var}
    asked = _Asked()
    try:
        with warnings.catch_warnings(), asked.to_end():
            warnings.showwarning = cast(Any, _warn_once())
            # What other packages are to change is nothing to a person at a command line.
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            # joblib's advice to who leaves a generator early, which is what an interrupt does.
            warnings.filterwarnings("ignore", message=".* You could benefit from adjusting")
            status = run(**names, standalone_mode=False, **settings)
    except InputError as error:
        if not standalone:
            raise
        _fail(str(error), _USAGE_ERROR)
    except typer.Abort as error:
        if not standalone:
            raise
        if isinstance(error.__cause__, KeyboardInterrupt):
            _fail(asked.words(), asked.status())
        _fail("aborted", 1)
    except ModuleNotFoundError as error:  # an optional package, or one that its own needs
        if not standalone:
            raise
        _fail(_of_a_package(error), _USAGE_ERROR)
    except (OSError, MemoryError, RecursionError) as error:
        if not standalone:
            raise
        _fail(_of_the_machine(error), _USAGE_ERROR)
    except Warning as error:  # with python -W error
        if not standalone:
            raise
        _fail(f"a warning, and they are asked to be errors: {error}", _USAGE_ERROR)
    except Exception as error:
        # click's own errors, known by this method: typer carries a copy of click or imports it.
        describe = getattr(error, "format_message", None)
        if type(error).__name__ == "OutOfMemoryError":  # PyTorch's, which is not loaded for it
            describe = _of_a_full_device
        if not standalone or describe is None:
            raise
        _fail(describe() + _pointer(error), getattr(error, "exit_code", _USAGE_ERROR))
    if not standalone:
        return status
    if status == _INTERRUPT:  # which is how typer ends an interrupted command
        _fail(asked.words(), asked.status())
    _flush()
    # click returns the status of an early exit (--help, typer.Exit) like a command's own value.
    sys.exit(status if isinstance(status, int) else 0)


class _Asked:
    """Whether a signal asked the command to end, as schedulers and closed terminals do."""

    def __init__(self) -> None:
        self._number = 0

    @contextmanager
    def to_end(self) -> Iterator[None]:
        """Take these signals as interrupts, so that what is done is kept."""
        taken = {}
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
                number = getattr(signal, name, None)
                # What nohup ignores, or another program handles, stays as it is.
                if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                    taken[number] = signal.signal(number, self._interrupt(os.getpid()))
        try:
            yield
        finally:
            for number, before in taken.items():
                signal.signal(number, before)

    def _interrupt(self, owner: int) -> Callable[..., None]:
        def handle(number: int, _: object) -> None:
            if os.getpid() != owner:  # a process that was forked ends as it always did
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
                return
            self._number = number
            raise KeyboardInterrupt

        return handle

    def status(self) -> int:
        """Return the status that a shell expects."""
        return 128 + self._number if self._number else _INTERRUPT

    def words(self) -> str:
        """Return what the command line says."""
        how = f"ended by {signal.Signals(self._number).name}" if self._number else "interrupted"
        return f"{how}; what is done is kept: run the same command again to resume"


def _of_the_machine(error: Exception) -> str:
    """Return what the system refused, or what was too much for it."""
    if isinstance(error, MemoryError):
        return f"not enough memory for this ({error or 'no more is given'}); ask for less"
    if isinstance(error, RecursionError):
        return "the input is nested too deeply"
    file = getattr(error, "filename", None)
    where = "" if file is None else f": {file}"
    return f"{getattr(error, 'strerror', None) or error}{where}"


def _of_a_package(error: ModuleNotFoundError) -> str:
    # Without a name where the message is our own, which says what to install.
    if error.name is None or "pip install" in str(error):
        return str(error)
    return f"this needs the package {error.name}, which is not installed: pip install {error.name}"


def _of_a_full_device() -> str:
    return (
        "the device has too little memory for this; what is done is kept: ask for less at once, or"
        " go on with --device cpu"
    )


def _flush() -> None:
    """Bring the output out; the interpreter's own attempt at its end would leave a traceback."""
    if sys.stdout is None:
        _fail("cannot write to standard output: it is closed", _USAGE_ERROR)
    try:
        sys.stdout.flush()
    except OSError as error:
        # What could not be written is not to be tried again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"cannot write to standard output: {error.strerror}", _USAGE_ERROR)


def _warn_once() -> Callable[..., None]:
    """Return what prints a warning, each sentence once, however often a command comes to it."""
    said: set[str] = set()

    def warn(message: Warning | str, *_: Any, **__: Any) -> None:
        # Where in the source it came from is nothing to a person at a command line.
        line = f"warning: {message}"
        if line not in said:
            said.add(line)
            _say(line)

    return warn


def _pointer(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return "" if context is None else f" (see {context.command_path} --help)"


def _fail(message: str, status: int) -> None:
    _say(f"error: {message}")
    sys.exit(status)


def _say(message: str) -> None:
    """Print one line to standard error, which a name from a file neither colours nor floods."""
    if sys.stderr is None:  # closed; print would take standard output in its place
        return
    line = " ".join(part.strip() for part in message.splitlines())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST - 200]} ... {line[-190:]}"
    print("".join(c if c.isprintable() else repr(c)[1:-1] for c in line), file=sys.stderr)
