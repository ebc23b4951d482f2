"""Comparisons between documents: exact, signature, bands, clusters."""
