"""One door: two arrays, labels or none, and what they say about which fusion to choose.

With labels the answer is that of `fusiontheory.pilot`; without, the task is image-text matching
and the answer that of the moments theory.
"""

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.door import advise
from fusiontheory.advice.example import build_example, example_digits
from fusiontheory.advice.terminal import print_summary

__all__ = ["Advice", "advise", "build_example", "example_digits", "print_summary"]
