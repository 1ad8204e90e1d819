"""`make check` finds the tests of a file by its place."""

import pytest
from touched import ALWAYS, mirrored, selected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("fusiontheory/risk/ridge.py", ["fusiontheory/risk/ridge.py", "tests/risk/test_ridge.py"]),
        ("fusiontheory/risk/spectra.py", ["fusiontheory/risk/spectra.py", "tests/risk"]),
        ("fusiontheory/cli.py", ["fusiontheory/cli.py", "tests/test_cli.py"]),
        (
            "fusiontheory/moments/paired.py",
            [
                "fusiontheory/moments/paired.py",
                "tests/moments/test_paired.py",
                "tests/moments/test_paired_signal.py",
            ],
        ),
        ("fusiontheory/checks.py", ["fusiontheory/checks.py"]),
        ("fusiontheory/tangent/__init__.pyi", ["tests/tangent"]),
        (
            "validation/pipeline/splits.py",
            ["validation/pipeline/splits.py", "tests/validation/pipeline"],
        ),
        ("experiments/interval_coverage/run.py", ["tests/experiments/test_interval_coverage.py"]),
        ("tests/risk/test_ridge.py", ["tests/risk/test_ridge.py"]),
        ("tests/conftest.py", []),
        ("docs/theory.md", []),
    ],
)
def test_of_one_file(path, expected):
    assert mirrored(path) == expected


def test_no_test_runs_twice():
    found = selected(["fusiontheory/risk/ridge.py", "fusiontheory/risk/spectra.py"])
    assert "tests/risk" in found
    assert "tests/risk/test_ridge.py" not in found
    assert selected([]) == [ALWAYS]
