"""Hostile command lines and grids for `fusiontheory`."""

from __future__ import annotations

import random
from pathlib import Path

_BASE = {
    "heads": '["additive"]',
    "n": "[8]",
    "seeds": "1",
    "ridge": "[0.1]",
    "predict": '"none"',
    "[pairs]": "",
    "d_v": "2",
    "d_t": "2",
}

_VALUES = (
    "1e15", "1000000000000000", "1000000000000", "100000000", "1000000", "-1", "0", "nan", "inf",
    '""', '"x"', "[]", "[[]]", "[" * 3000 + "]" * 3000, "true", "{}", "{a = 1}", "2020-01-01",
    '["additive", "additive"]', "[8, 8]", "[1e300]", "[-1]", "[999999999999]", '"a\\u0000b"', "@",
)  # fmt: skip

_WORDS = (
    "", "-1", "0", "nan", "inf", "1e400", "10" * 20, "x", "a\0b", "/", "/dev/null", "missing.npz",
    "--help", "--", "é", "x" * 5000, "[1, 2]", "8,16", "1e15", "../..",
)  # fmt: skip

_COMMANDS = (
    ["predict", "--features"],
    ["predict", "--features", "missing.npz", "--n"],
    ["alignment"],
    ["alignment", "missing.npz", "--seed"],
    ["simulate"],
    ["orders", "--n"],
    ["store", "status"],
    ["store", "verify"],
    ["no-such-command"],
)


def command_line(drawn: random.Random, folder: Path) -> list[str]:
    """Return a command line; half of them are of a grid with hostile values."""
    if drawn.random() < 0.5:
        return [*drawn.choice(_COMMANDS), *drawn.choices(_WORDS, k=drawn.randint(0, 2))]
    settings = dict(_BASE)
    for name in drawn.sample(sorted(settings), drawn.choice((1, 1, 2))):
        value = drawn.choice(_VALUES) if not name.startswith("[") else ""
        # A million seeds are a long run, not a hostile one.
        settings[name] = "0.5" if (name, value) == ("seeds", "1000000") else value
    text = "\n".join(k if k.startswith("[") else f"{k} = {v}" for k, v in settings.items())
    if drawn.random() < 0.2:
        many = ", ".join(map(str, range(101)))
        text += f'\n[vary]\n"target.noise" = [{many}]\n"target.seed" = [{many}]'
        text += f'\n"pairs.rotation_seed" = [{many}]'
    path = folder / "hostile.toml"
    path.write_text(text)
    number = drawn.randrange(10**9)
    jobs = drawn.choice((["--jobs", "1"], ["--jobs", "1" + "0" * 30], ["--jobs", "-1"], []))
    return ["simulate", str(path), "--out", str(folder / f"out{number}"), *jobs]
