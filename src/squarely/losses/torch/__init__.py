"""Losses for torch."""
