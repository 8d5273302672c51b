"""Where a run's parameter set is looked for."""

from pathlib import Path

import pytest

from carecast.scenarios.run_inputs import parameter_folder


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("carecast run --parameters sets/now --scenario early_help_first", Path("sets/now")),
        ("carecast run --scenario early_help_first --parameters='my sets/now'", Path("my sets/now")),
        ("carecast run --parameters", Path()),
        ("", None),
        (None, None),
    ],
)
def test_the_parameter_set_is_the_commands(tmp_path, command, found):
    assert parameter_folder(tmp_path / "run", {"command": command}) == found


def test_the_demos_lies_beside_the_run(tmp_path):
    (tmp_path / "demo-parameters").mkdir()
    assert parameter_folder(tmp_path / "demo", {"command": "carecast demo"}) == tmp_path / "demo-parameters"
