"""The command line ``python -m validation``: run the study, write its report."""

from __future__ import annotations

from fusiontheory.console import application
from validation.commands import COMMANDS, launch

__all__ = ["app"]

app = application("Predict, measure and compare fusion heads on real features.")

for _command in COMMANDS:
    app.command()(_command)
# What is no option of launch is one of study.
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(launch)

if __name__ == "__main__":
    app(prog_name="python -m validation")
