"""Fusion heads: those with a kernel and a closed form, one entry each in ``HEADS``."""

from fusiontheory.heads.closed_form import HEADS, Head, Terms, find_head

__all__ = ["HEADS", "Head", "Terms", "find_head"]
