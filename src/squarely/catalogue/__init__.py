"""The metrics: one decorated formula each, one file per mathematical family. The order of imports is that of every list."""
# ruff: noqa: F403, I001

from squarely.catalogue.squared import *
from squarely.catalogue.normalized import *
from squarely.catalogue.absolute import *
from squarely.catalogue.explained import *
from squarely.catalogue.calibration import *
from squarely.catalogue.agreement import *
from squarely.catalogue.relative import *
from squarely.catalogue.scaled import *
from squarely.catalogue.logarithmic import *
from squarely.catalogue.ranked import *
from squarely.catalogue.robust import *
from squarely.catalogue.redescending import *
from squarely.catalogue.quantile import *
from squarely.catalogue.asymmetric import *
from squarely.catalogue.interval import *
from squarely.catalogue.circular import *

from typing import TYPE_CHECKING

from squarely.metric import METRICS

if not TYPE_CHECKING:  # for a checker of types a list that is made at run time is empty; without one it sees every name
    __all__ = [*METRICS]
