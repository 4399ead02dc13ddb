"""The class that a connector's author subclasses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from connectors.conformance.desk import Desks
from connectors.conformance.faults import Faults
from connectors.conformance.play import Play
from connectors.conformance.reading import Reading
from connectors.conformance.stage import Stage


class Conformance(Reading, Faults, Desks):
    """All rules. `stage` makes a fresh stage for each of them:

    class TestMine(Conformance):
        stage = staticmethod(MyStage)
    """

    stage: ClassVar[Callable[[], Stage]]

    @pytest.fixture
    def play(self) -> Iterator[Play]:
        stage = type(self).stage()
        try:
            yield Play(stage)
        finally:
            stage.close()
