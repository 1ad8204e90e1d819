"""Mutation testing of the rooms that numbers and records come from."""
