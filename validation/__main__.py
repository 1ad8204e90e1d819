"""The command line ``python -m validation``: run the study, write its report."""

from __future__ import annotations

from fusiontheory.console import application
from validation.commands.corpus import corpus, fetch
from validation.commands.extract import extract, merge, prove
from validation.commands.kernel import report, run
from validation.commands.study import arrays, launch, study
from validation.commands.trained import trained, trained_predict, trained_report

__all__ = ["app"]

app = application("Predict, measure and compare fusion heads on real features.")

for _command in (run, report, trained, trained_report, trained_predict):
    app.command()(_command)
for _command in (corpus, fetch, extract, merge, prove, study, arrays):
    app.command()(_command)
# What is no option of launch is one of study.
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(launch)

if __name__ == "__main__":
    app(prog_name="python -m validation")
