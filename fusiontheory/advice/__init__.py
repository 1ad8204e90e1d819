"""One door: two arrays, labels or none, and what they say about which fusion to choose.

With labels the answer is that of `fusiontheory.pilot`; without, the task is image-text matching
and the answer that of the moments theory.
"""

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.door import advise
from fusiontheory.advice.example import example_digits

__all__ = ["Advice", "advise", "example_digits"]
