"""Markup to text, as pure functions."""
