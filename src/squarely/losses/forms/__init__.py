"""Losses that are more than a function of one residual."""

from squarely.losses.forms import adaptive, patches, several, whole
from squarely.losses.forms.form import FORMS, Form, Pointwise

__all__ = ["FORMS", "Form", "Pointwise", "adaptive", "patches", "several", "whole"]
