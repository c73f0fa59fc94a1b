"""The manifests for Kubernetes are what its API and the operator of dask-kubernetes take, and what a load needs.

They are held against the schemas that both publish, as strictly as `kubectl apply` does: a field that these don't have
is refused. Manifests with a fault show it. Their commands are held against the programs that they start.
"""

import copy
import functools
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import kubernetes_validate
import pytest
import yaml
from closed_schema import closed
from distributed.cli import dask_scheduler, dask_worker

from vezaflow.cli.main import program
from vezaflow.cluster import ClusterAddress, ClusterKind

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "kubernetes"
RELEASES = ("1.27", "1.37")  # the first whose CronJobs have a time zone for good, and the latest that is known


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


def of_kubernetes(found: dict[str, Any]) -> dict[str, Any]:
    """A manifest or a pod as an object of Kubernetes' own API."""
    return found if "apiVersion" in found else {"apiVersion": "v1", "kind": "Pod", "spec": found["spec"]}


OBJECTS = {kind: each for kind, each in MANIFESTS.items() if kind != "DaskCluster"} | dict(pods())


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_kubernetes_takes_them(name: str, release: str) -> None:
    kubernetes_validate.validate(of_kubernetes(OBJECTS[name]), release, strict=True)


@functools.cache
def operator() -> dict[str, Any]:
    """The definition of a DaskCluster, of the chart that installs the operator."""
    try:
        chart = distribution("dask-kubernetes")
    except PackageNotFoundError:
        pytest.skip("needs `pip install --no-deps dask-kubernetes`")
    crd = next(file for file in chart.files or () if file.match("crds/daskcluster.yaml"))
    found: dict[str, Any] = yaml.load(Path(str(chart.locate_file(crd))).read_text(), yaml.CSafeLoader)
    return found


def of_the_operator(cluster: dict[str, Any]) -> None:
    """Raise for what the operator does not take; the metadata is Kubernetes' own."""
    definition = operator()["spec"]
    (version,) = definition["versions"]
    assert cluster["apiVersion"] == f"{definition['group']}/{version['name']}"
    assert cluster["kind"] == definition["names"]["kind"]
    jsonschema_rs.validate(closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"]), cluster["spec"])


def test_the_operator_takes_the_cluster() -> None:
    of_the_operator(MANIFESTS["DaskCluster"])


def changed(manifest: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with a value somewhere, such as `spec.jobTemplate`."""
    found = copy.deepcopy(manifest)
    *folders, name = path.split(".")
    at: Any = found
    for folder in folders:
        at = at[int(folder)] if folder.isdecimal() else at[folder]
    at[name] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.concurencyPolicy", "Forbid", "concurencyPolicy"),
        ("spec.jobTemplate.spec.backoffLimit", "none", "none"),
        ("spec.jobTemplate.spec.template.spec.containers.0.volumeMounts", [{"name": "tmp"}], "mountPath"),
        ("spec.jobTemplate.spec.template.spec.securityContext.allowPrivilegeEscalation", False, "allowPrivilege"),
        ("spec.schedule", None, "None"),
    ],
)
def test_a_job_with_a_fault_is_refused(path: str, value: object, said: str) -> None:
    broken = changed(MANIFESTS["CronJob"], path, value)
    with pytest.raises(kubernetes_validate.ValidationError, match=said):
        kubernetes_validate.validate(broken, RELEASES[-1], strict=True)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.worker.replica", 4, "replica"),
        ("spec.worker.replicas", "four", "four"),
        ("spec.scheduler.service.ports", [{"name": "tcp-comm"}], "port"),
        ("spec.worker.spec.containers", [{"image": "vezaflow"}], "name"),
        ("spec.worker.spec.terminationGracePeriod", 10, "terminationGracePeriod"),
        ("spec.worker.metadata.labels", ["vezaflow"], "object"),
    ],
)
def test_a_cluster_with_a_fault_is_refused(path: str, value: object, said: str) -> None:
    broken = changed(MANIFESTS["DaskCluster"], path, value)
    operator()
    with pytest.raises(jsonschema_rs.ValidationError, match=said):
        of_the_operator(broken)


@pytest.mark.parametrize(
    ("name", "command"), [("worker", dask_worker.main), ("scheduler", dask_scheduler.main)], ids=["worker", "scheduler"]
)
def test_dask_has_the_options_of_its_pods(name: str, command: Any) -> None:
    """Looked up, not tried: Dask ignores those that it does not know."""
    known = {word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)}
    assert container(name)["command"] == ["dask"]
    first, *words = container(name)["args"]
    assert first == name
    assert {word for word in words if word.startswith("--")} <= known


def test_vezaflow_has_the_options_of_its_job() -> None:
    first, *words = container("job")["args"]
    command = program.get_command(click.Context(program), first)
    assert command is not None
    command.make_context(first, words)


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
