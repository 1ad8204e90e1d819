"""Figures for print, drawn from the tables of a report."""
