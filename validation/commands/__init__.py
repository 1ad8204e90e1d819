"""The commands of ``python -m validation``, one module for each family of them.

Their modules import typer and little else; what a command needs it imports itself, so that
``--help`` answers at once.
"""

from validation.commands import corpus, extract, kernel, study, trained
from validation.commands.study import launch

__all__ = ["COMMANDS", "launch"]

COMMANDS = (
    kernel.run,
    kernel.report,
    trained.trained,
    trained.trained_report,
    trained.trained_predict,
    trained.trained_foretell,
    trained.trained_settings,
    trained.trained_kernels,
    corpus.corpus,
    corpus.fetch,
    extract.extract,
    extract.merge,
    extract.prove,
    study.study,
    study.arrays,
)
"""In the order of the help; `launch`, which takes the options of another command too, is last."""
