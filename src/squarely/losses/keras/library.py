"""Keras, and whose functions it runs on. No other module imports keras."""

from squarely.errors import MissingExtraError
from squarely.losses.calls import Call
from squarely.losses.kernels import Kernel

try:
    import keras
    from keras.src.backend import get_keras_mask, set_keras_mask  # no public function does, and a tracer of JAX keeps its mask elsewhere
except ImportError as error:
    raise MissingExtraError(
        f"squarely.losses.keras needs keras and its backend ({error}); install keras with: pip install 'squarely[keras]', and set the environment "
        "variable KERAS_BACKEND to 'jax' or 'torch', whichever is installed"
    ) from error

__all__ = ["call_of_backend", "get_keras_mask", "keras", "set_keras_mask"]


def call_of_backend(kernel: type[Kernel]) -> Call:
    """Return the loss as a function of the arrays that Keras runs on."""
    backend = keras.backend.backend()
    if backend == "torch":
        from squarely.losses.torch.call import TorchCall

        return TorchCall(kernel)
    if backend == "jax":
        from squarely.losses.jax.library import JAX

        return Call(kernel, JAX)
    raise MissingExtraError(f"keras runs on {backend!r}; its losses here run on 'jax' and 'torch'. Cure: set KERAS_BACKEND before keras is imported.")
