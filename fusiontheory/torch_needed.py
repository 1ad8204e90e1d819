"""Imported first by the rooms that need PyTorch: where it is missing, says what to install."""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "networks and their training need PyTorch, which is not installed:"
        " pip install 'fusiontheory[torch]'; predictions and kernel heads do without it",
        name="torch",
    ) from error
