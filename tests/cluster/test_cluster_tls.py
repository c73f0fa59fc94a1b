"""A scheduler that speaks TLS only: both sides show a certificate, and who has none gets nowhere."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from dask_cluster import DaskCluster, dask_cluster
from processes import Running, Target, target, write_suite

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

FLOW = """
load: {executor: per-vu-iterations, vus: 4, iterations: 2}
steps: [{get: /x}]
gates: {http_req_failed: rate < 1 %}
"""


@pytest.fixture(scope="module")
def veza() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A CA, and a certificate with its key."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    found = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    leaf = ca.issue_cert("127.0.0.1", "localhost")
    ca.cert_pem.write_to_path(str(found["ca"]))
    leaf.private_key_pem.write_to_path(str(found["key"]))
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(str(found["cert"]), append=True)
    return found


@pytest.fixture(scope="module")
def secured(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    words = ["--tls-ca-file", str(files["ca"]), "--tls-cert", str(files["cert"]), "--tls-key", str(files["key"])]
    with dask_cluster(tmp_path_factory.mktemp("dask"), 2, words=("--protocol", "tls", *words)) as found:
        yield found


def configured(files: dict[str, Path]) -> dict[str, str]:
    """Dask's own configuration, by the environment."""
    prefix = "DASK_DISTRIBUTED__COMM__"
    return {
        f"{prefix}REQUIRE_ENCRYPTION": "true",
        f"{prefix}TLS__CA_FILE": str(files["ca"]),
        f"{prefix}TLS__CLIENT__CERT": str(files["cert"]),
        f"{prefix}TLS__CLIENT__KEY": str(files["key"]),
    }


def test_a_run_over_tls(secured: DaskCluster, files: dict[str, Path], veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    assert secured.address.startswith("tls://")
    environment = {"BASE_URL": veza.base_url, **configured(files)}
    veza.asked.clear()
    with Running("run", "suite", "--cluster", secured.address, env=environment, folder=tmp_path) as run:
        assert run.end() == 0, run.text
    assert len(veza.asked) == 8


def test_without_a_certificate_nothing_is_run(secured: DaskCluster, veza: Target, tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", FLOW)
    veza.asked.clear()
    for address in (secured.address, secured.address.replace("tls:", "tcp:")):
        with Running("run", "suite", "--cluster", address, env={"BASE_URL": veza.base_url}, folder=tmp_path) as run:
            assert run.end() == 97, run.text
        assert ("it wants TLS (then it is tls:" if address.startswith("tcp") else "wants a certificate") in run.text
        assert "Traceback" not in run.text
    assert veza.asked == []
