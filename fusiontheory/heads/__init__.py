"""Fusion heads: those with a kernel, one entry each in ``HEADS``."""

from fusiontheory.heads.closed_form import HEADS, Head, find_head

__all__ = ["HEADS", "Head", "find_head"]
