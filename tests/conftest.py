"""Tests import `oracle` and `nasty` from this folder, because this file makes pytest put it on the path."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras would look for TensorFlow; what runs on JAX runs in a process of its own
os.environ.setdefault("TRITON_INTERPRET", "1")  # before anything imports Triton: kernels run on the processor, step by step
