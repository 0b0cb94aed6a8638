"""Ray that is not installed, and clusters that are not there: said at once, with what to do."""

import socket

import pytest

from t2v.errors import RequestError
from tests.fresh import python


def test_without_ray_the_message_has_the_command_that_installs_it() -> None:
    code = """
import sys
sys.modules["ray"] = None
import t2v
from t2v.errors import DependencyMissingError
try:
    t2v.RayEngine
except DependencyMissingError as error:
    print(error)
"""
    assert python(code).stdout == (
        "--engine ray needs Ray, which is not installed. pip install 't2v[ray]'\n"
    )


def test_the_driver_does_not_import_torch_for_a_cluster() -> None:
    pytest.importorskip("ray")
    code = """
import sys
from t2v.batch.workers.ray import RayEngine
print(*{"torch", "diffusers", "numpy", "av"} & set(sys.modules))
"""
    assert python(code).stdout == "\n"


def test_an_address_where_nobody_listens_is_refused_at_once() -> None:
    pytest.importorskip("ray")
    from t2v.batch.workers.ray import RayEngine  # noqa: PLC0415 - Ray may not be there

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(
        RequestError, match=rf"Cannot join .* 127\.0\.0\.1:{port}: Connection refused"
    ):
        RayEngine(f"127.0.0.1:{port}").machine()
