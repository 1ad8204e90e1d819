"""The paper's aligned and unaligned risk curves: orders, sharp theory and simulation."""
