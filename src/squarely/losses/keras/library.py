"""Keras, and which library of arrays it runs on. No other module imports keras."""

from squarely.errors import MissingExtraError
from squarely.losses.library import Library

try:
    import keras
    from keras.src.backend import get_keras_mask  # no public function reads the mask of an array, and a tracer of JAX keeps it elsewhere
except ImportError as error:
    raise MissingExtraError(
        f"squarely.losses.keras needs keras and its backend ({error}); install keras with: pip install 'squarely[keras]', and set the environment "
        "variable KERAS_BACKEND to 'jax' or 'torch', whichever is installed"
    ) from error

__all__ = ["get_keras_mask", "keras", "library_of_backend"]


def library_of_backend() -> Library:
    """Return the library that Keras runs on."""
    backend = keras.backend.backend()
    if backend == "torch":
        from squarely.losses.torch.library import TORCH

        return TORCH
    if backend == "jax":
        from squarely.losses.jax.library import JAX

        return JAX
    raise MissingExtraError(f"keras runs on {backend!r}; its losses here run on 'jax' and 'torch'. Cure: set KERAS_BACKEND before keras is imported.")
