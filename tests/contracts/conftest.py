"""The battery checks devices with the strict arrays of the tests."""

import pytest

from minitx import backend
from minitx.contracts import common
from tests import standin


@pytest.fixture(autouse=True)
def _strict_arrays(monkeypatch):
    backend.register_namespace(standin.Array, standin.library)
    monkeypatch.setattr(common, "stand_in", standin)
