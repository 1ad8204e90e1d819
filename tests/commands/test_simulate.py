"""The command that simulates: grids that no machine takes are refused in one line."""

from __future__ import annotations

import pytest

from fusiontheory.cli import app

_GRID = 'heads = ["additive"]\nn = [8]\nseeds = 1\nridge = [0.1]\n[pairs]\nd_v = 2\nd_t = 2\n'
_MANY = "[" + ", ".join(map(str, range(101))) + "]"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[8]", "[" * 3000 + "]" * 3000), "path must be a TOML file"),
        (("n = [8]", "n = [1000000000000000]"), "n must be at most"),
        (("d_v = 2", "d_v = 1000000"), "d_v must be at most"),
        (("seeds = 1", "seeds = 1000000000000"), "seeds must be at most"),
        (
            (
                "d_t = 2\n",
                f'd_t = 2\n[vary]\n"target.noise" = {_MANY}\n"target.seed" = {_MANY}\n'
                f'"pairs.rotation_seed" = {_MANY}\n',
            ),
            "vary must have at most",
        ),
    ],
)
def test_a_grid_beyond_any_machine_is_refused_at_once(tmp_path, capsys, change, words):
    config = tmp_path / "grid.toml"
    config.write_text(_GRID.replace(*change))
    with pytest.raises(SystemExit) as ended:
        app(["simulate", str(config), "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"configs": 1}',
        '{"configs": [3]}',
        "[" * 9999,
        '{"n": 1e999}',
        '{"configs": [], "heads": 5}',
    ],
)
def test_a_malformed_description_of_a_grid_is_named(tmp_path, capsys, text):
    config, out = tmp_path / "grid.toml", tmp_path / "out"
    config.write_text(_GRID)
    out.mkdir()
    (out / "grid.json").write_text(text)
    with pytest.raises(SystemExit) as ended:
        app(["simulate", str(config), "--out", str(out), "--jobs", "1"])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert str(out) in err
    assert (out / "grid.json").read_text() == text


def test_jobs_beyond_any_machine_are_refused(tmp_path, capsys):
    config = tmp_path / "grid.toml"
    config.write_text(_GRID)
    with pytest.raises(SystemExit) as ended:
        app(["simulate", str(config), "--out", str(tmp_path / "out"), "--jobs", "1" + "0" * 30])
    assert ended.value.code == 2
    assert "jobs must be at most" in capsys.readouterr().err
