"""The manifests for Kubernetes are what its API and the operator of dask-kubernetes take, and what a load needs.

They are held against the schemas that both publish, where those are installed: `pip install kubernetes-validate
dask-kubernetes`. What a load needs beyond a valid manifest is looked at in any case.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from vezaflow.cluster import ClusterAddress, ClusterKind

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "kubernetes"
RELEASE = "1.34"


def manifests() -> dict[str, Any]:
    """By kind."""
    found = [each for file in sorted(FOLDER.glob("*.yaml")) for each in yaml.safe_load_all(file.read_text())]
    return {each["kind"]: each for each in found}


MANIFESTS = manifests()


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The pods that they make, with the metadata of each."""
    cluster = MANIFESTS["DaskCluster"]["spec"]
    yield "worker", cluster["worker"]
    yield "scheduler", cluster["scheduler"]
    yield "job", MANIFESTS["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]


def container(name: str) -> dict[str, Any]:
    (found,) = dict(pods())[name]["spec"]["containers"]
    return dict(found)


def environment(name: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(name)["env"]}


@pytest.mark.parametrize("kind", sorted(set(MANIFESTS) - {"DaskCluster"}))
def test_kubernetes_takes_them(kind: str) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate")
    kubernetes.validate(MANIFESTS[kind], RELEASE, strict=True)


def test_kubernetes_takes_the_pods_of_the_cluster() -> None:
    kubernetes = pytest.importorskip("kubernetes_validate")
    for name, pod in pods():
        whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod["spec"]}
        kubernetes.validate(whole, RELEASE, strict=True)


def test_the_operator_takes_the_cluster() -> None:
    try:
        crd = next(file for file in files("dask-kubernetes") or () if file.match("crds/daskcluster.yaml"))
    except PackageNotFoundError:
        pytest.skip("needs dask-kubernetes")
    (version,) = yaml.safe_load(crd.read_text())["spec"]["versions"]
    assert MANIFESTS["DaskCluster"]["apiVersion"] == f"kubernetes.dask.org/{version['name']}"
    jsonschema_rs.validate(version["schema"]["openAPIV3Schema"], MANIFESTS["DaskCluster"])


def test_a_load_is_never_run_again_by_itself() -> None:
    job = MANIFESTS["CronJob"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert job["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert job["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert environment("scheduler")["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] == "0"
    assert "--no-nanny" in container("worker")["args"]


def test_all_of_them_are_one_image_and_speak_tls() -> None:
    assert len({container(name)["image"] for name, _ in pods()}) == 1
    for name, pod in pods():
        known = environment(name)
        assert known["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
        assert {path.rpartition("/")[0] for key, path in known.items() if "__TLS__" in key} == {"/tls"}
        assert {"name": "tls", "mountPath": "/tls", "readOnly": True} in container(name)["volumeMounts"]
        assert any(volume["name"] == "tls" and "secret" in volume for volume in pod["spec"]["volumes"])


def test_who_connects_goes_to_the_service_of_the_scheduler() -> None:
    service = MANIFESTS["DaskCluster"]["spec"]["scheduler"]["service"]
    name = f"{MANIFESTS['DaskCluster']['metadata']['name']}-scheduler"
    args = container("job")["args"]
    address = f"tls://{name}:{service['ports'][0]['port']}"
    assert args[args.index("--cluster") + 1] == environment("worker")["DASK_SCHEDULER_ADDRESS"] == address
    assert ClusterAddress.read(address).kind is ClusterKind.SCHEDULER


def test_only_they_reach_each_other() -> None:
    policy = MANIFESTS["NetworkPolicy"]["spec"]
    (allowed,) = [peer["podSelector"] for rule in policy["ingress"] for peer in rule["from"]]
    assert allowed == policy["podSelector"]
    wanted = allowed["matchLabels"].items()
    assert all(wanted <= pod["metadata"]["labels"].items() for _, pod in pods())


def test_a_pod_has_no_rights_and_its_cores_to_itself() -> None:
    for name, pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert container(name)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container(name)["securityContext"]["allowPrivilegeEscalation"] is False
    resources = container("worker")["resources"]
    assert resources["requests"] == resources["limits"]
    assert int(resources["limits"]["cpu"]) >= 1, "whole cores"
