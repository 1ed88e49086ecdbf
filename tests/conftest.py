"""Tests import `oracle` and `nasty` from this folder, because this file makes pytest put it on the path."""
