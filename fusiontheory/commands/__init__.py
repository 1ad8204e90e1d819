"""The commands of ``fusiontheory``, one module each: read options, call the library, print.

Their modules import typer and little else; what a command needs it imports itself, so that
``--help`` answers at once.
"""

from fusiontheory.commands import advise, alignment, compare, forecast, orders, predict, simulate
from fusiontheory.commands.store import app as STORE

__all__ = ["COMMANDS", "STORE"]

COMMANDS = (
    advise.advise,
    predict.predict,
    compare.compare,
    forecast.forecast,
    alignment.alignment,
    simulate.simulate,
    orders.orders,
)
"""In the order of the help."""
