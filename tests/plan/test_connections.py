"""`http` and `tls` of suites and flows become a client's options, key by key."""

from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from planned import inputs, plan_of, plan_or_faults

from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.plan import Bundle, Plan, PlannedParallel, requests_of
from vezaflow.protocols import ClientOptions, Proxy

STEPS = "steps: [{get: /x}]"


def suite(settings: str) -> str:
    return f"suite: test\nbase_url: http://127.0.0.1:1\n{settings}"


def client_of(plan: Plan) -> ClientOptions:
    return plan.flows[0].client


def test_without_a_word_nothing_changes() -> None:
    plan = plan_of(STEPS)
    assert client_of(plan) == ClientOptions()
    assert not plan.flows[0].renews


def test_a_flows_word_wins_key_by_key() -> None:
    settings = "http: {connections: per_iteration, proxy: 'http://127.0.0.1:1', local_address: 127.0.0.1}"
    flow = f"http: {{proxy: none, local_address: [127.0.0.2, 127.0.0.3]}}\ntls: {{insecure: false}}\n{STEPS}"
    plan = plan_of(flow, suite=suite(f"{settings}\ntls: {{insecure: true}}"))
    assert plan.client == ClientOptions(proxy=Proxy("127.0.0.1", 1), local_addresses=("127.0.0.1",), insecure=True)
    assert client_of(plan) == ClientOptions(local_addresses=("127.0.0.2", "127.0.0.3"))
    assert plan.flows[0].renews


def test_a_proxys_credentials_are_decoded_and_hidden() -> None:
    given = inputs({"LOAD_PROXY": "http://ann:p%40ss-w0rd@127.0.0.1:3128"})
    plan = plan_of(f"http: {{proxy: '${{env.LOAD_PROXY}}'}}\n{STEPS}", inputs=given)
    proxy = client_of(plan).proxy
    assert proxy == Proxy("127.0.0.1", 3128, "ann", "p@ss-w0rd")
    assert "w0rd" not in repr(plan.flows[0].client)
    assert dict(plan.shown_inputs) == {"LOAD_PROXY": "http://ann:•••@127.0.0.1:3128"}
    dressed = proxy.header.decode()
    assert "Basic YW5uOnBAc3MtdzByZA==" in dressed
    assert "YW5u" not in plan.secrets.mask(dressed)


def test_credentials_apart_are_secrets_whether_the_suite_says_so_or_not() -> None:
    given = inputs({"WHO": "annabel", "WORD": "hunter22"})
    flow = f"http: {{proxy: 'http://${{env.WHO}}:${{env.WORD}}@127.0.0.1:3128'}}\n{STEPS}"
    plan = plan_of(flow, inputs=given)
    assert client_of(plan).proxy == Proxy("127.0.0.1", 3128, "annabel", "hunter22")
    assert dict(plan.shown_inputs) == {"WHO": "•••", "WORD": "•••"}
    assert plan.secrets.mask("annabel hunter22") == "••• •••"


@pytest.mark.parametrize("value", ["none", ""])
def test_an_environment_may_say_that_there_is_no_proxy(value: str) -> None:
    plan = plan_of(f"http: {{proxy: '${{env.LOAD_PROXY}}'}}\n{STEPS}", inputs=inputs({"LOAD_PROXY": value}))
    assert client_of(plan).proxy is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("socks5://127.0.0.1:1", "start with http://"),
        ("https://ann:hunter22@127.0.0.1:1", "only http:// is supported"),
        ("http://ann:hunter22@127.0.0.1", "missing port"),
        ("http://127.0.0.1:99999", "is not a valid port"),
        ("http://:3128", "has no host"),
        ("http://ann:hunter22@127.0.0.1:1/way", "has no path"),
        ("127.0.0.1:3128", "start with http://"),
    ],
)
def test_a_proxy_from_the_environment_that_is_none(value: str, reason: str) -> None:
    given = inputs({"LOAD_PROXY": value})
    plan, diagnostics = plan_or_faults(f"http: {{proxy: '${{env.LOAD_PROXY}}'}}\n{STEPS}", inputs=given)
    assert plan is None
    assert [d.code for d in diagnostics] == ["VF702"]
    assert reason in diagnostics.items[0].message
    assert "hunter22" not in diagnostics.items[0].message


def test_the_guard_allows_the_proxy_too() -> None:
    flow = f"http: {{proxy: 'http://proxy.lan:3128'}}\n{STEPS}"
    with pytest.raises(VezaflowError, match=r"the proxy proxy\.lan is not loopback") as refused:
        plan_of(flow)
    assert refused.value.code is ExitCode.REFUSED
    assert client_of(plan_of(flow, suite=suite("guard: {allow: ['proxy.lan:3128']}"))).proxy is not None


def test_an_address_from_the_environment_that_is_none() -> None:
    given = inputs({"ADDRESS": "eth0"})
    plan, diagnostics = plan_or_faults(f"http: {{local_address: '${{env.ADDRESS}}'}}\n{STEPS}", inputs=given)
    assert plan is None
    assert "eth0" in diagnostics.items[0].message


class Certificates:
    """A client's certificate in a suite's folder, in the forms that people have them."""

    def __init__(self, root: Path) -> None:
        ca = trustme.CA()
        one, other = ca.issue_cert("ann"), ca.issue_cert("bob")
        ca.cert_pem.write_to_path(str(root / "ca.pem"))
        one.cert_chain_pems[0].write_to_path(str(root / "client.pem"))
        one.private_key_pem.write_to_path(str(root / "client.key"))
        one.private_key_and_cert_chain_pem.write_to_path(str(root / "both.pem"))
        other.private_key_pem.write_to_path(str(root / "other.key"))
        (root / "empty.pem").write_text("no certificate\n")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    Certificates(folder)
    return folder


@pytest.mark.parametrize("tls", ["cert: client.pem, key: client.key", "cert: both.pem", "ca: ca.pem, cert: both.pem"])
def test_a_certificate_and_its_key(root: Path, tls: str) -> None:
    client = client_of(plan_of(f"tls: {{{tls}}}\n{STEPS}", root=root))
    assert client.cert_file
    assert client.cert_file.startswith(str(root.resolve()))


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        ("cert: client.pem, key: other.key", "client.pem with other.key: the key does not belong to the certificate"),
        ("cert: client.pem", "client.pem: no PEM certificate and key"),
        ("cert: empty.pem", "empty.pem: no PEM certificate and key"),
        ("ca: empty.pem", "empty.pem: "),
        ("cert: '${env.CERT}'", "'/etc/hostname' is not a file in the suite's folder"),
    ],
)
def test_certificates_that_are_not_right_are_found_before_the_run(root: Path, tls: str, reason: str) -> None:
    given = inputs({"CERT": "/etc/hostname"})
    plan, diagnostics = plan_or_faults(f"tls: {{{tls}}}\n{STEPS}", root=root, inputs=given)
    assert plan is None
    assert [d.code for d in diagnostics] == ["VF703"]
    assert diagnostics.items[0].message.startswith(reason)
    assert str(root) not in diagnostics.items[0].message


def test_an_encrypted_key_wants_its_password_and_asks_no_terminal(root: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form

    key = form.load_pem_private_key((root / "client.key").read_bytes(), None)
    locked = form.BestAvailableEncryption(b"hunter22")
    (root / "locked.key").write_bytes(
        key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, locked)
    )
    tls = "cert: client.pem, key: locked.key"
    given = inputs({"WORD": "hunter22"})
    plan = plan_of(f"tls: {{{tls}, password: '${{env.WORD}}'}}\n{STEPS}", root=root, inputs=given)
    assert plan.secrets.mask("hunter22") == "•••"
    plan_, diagnostics = plan_or_faults(f"tls: {{{tls}}}\n{STEPS}", root=root)
    assert plan_ is None
    assert "the key is encrypted, and its `password` is missing or wrong" in diagnostics.items[0].message


def test_a_bundle_that_is_kept_shows_no_credentials(tmp_path: Path) -> None:
    from vezaflow.diagnostics import Diagnostics
    from vezaflow.read import read_suite

    flow = "http: {proxy: '${env.LOAD_PROXY}'}\ntls: {password: '${env.WORD}'}\n" + STEPS
    given = inputs({"LOAD_PROXY": "http://ann:hunter22@127.0.0.1:3128", "WORD": "open-sesame"})
    found = read_suite([tmp_path], Diagnostics(), overlay={tmp_path / "flow.yml": flow})
    assert found is not None
    kept = str(Bundle.of(found, given).masked().to_json())
    assert "hunter22" not in kept
    assert "open-sesame" not in kept


def test_http_2_is_asked_for_by_suite_or_flow() -> None:
    secure = "suite: test\nbase_url: https://127.0.0.1:1\nhttp: {version: 2}"
    assert client_of(plan_of(STEPS, suite=secure)).http2
    assert not client_of(plan_of(f"http: {{version: 1.1}}\n{STEPS}", suite=secure)).http2


def test_http_2_below_a_base_url_without_tls_is_found_before_the_run() -> None:
    flow = f"base_url: ${{env.BASE}}\nhttp: {{version: 2}}\n{STEPS}"
    plan, diagnostics = plan_or_faults(flow, inputs=inputs({"BASE": "http://127.0.0.1:8080"}))
    assert plan is None
    assert [d.code for d in diagnostics] == ["VF426"]
    assert "http://127.0.0.1:8080/" in diagnostics.items[0].message


@pytest.mark.parametrize(("version", "per_host"), [("1.1", 6), ("2", 100)])
def test_more_requests_go_to_a_host_at_once_where_they_share_a_connection(version: str, per_host: int) -> None:
    flow = f"http: {{version: {version}}}\nsteps: [{{parallel: [{{get: /}}, {{get: /a}}]}}]\n"
    (step,) = plan_of(flow, suite="suite: test\nbase_url: https://127.0.0.1:1\n").flows[0].steps
    assert isinstance(step, PlannedParallel)
    assert step.per_host == per_host


# -- single steps --------------------------------------------------------------------------------------------


def own(plan: Plan) -> dict[str, ClientOptions | None]:
    """How the flow's requests connect, by their names."""
    flow = plan.flows[0]
    return {request.name: request.client for request in requests_of((*flow.login, *flow.steps, *flow.final))}


def test_a_step_s_word_wins_over_the_flow_s_and_the_suite_s_key_by_key() -> None:
    shared = suite("http: {local_address: 127.0.0.1, proxy: 'http://127.0.0.1:1'}\ntls: {insecure: true}")
    flow = """
    http: {local_address: 127.0.0.2}
    steps:
      - {get: /x, name: usual}
      - {get: /x, name: direct, http: {proxy: none}}
      - {get: /x, name: far, http: {local_address: [127.0.0.3, 127.0.0.4]}}
      - {get: "https://127.0.0.1:2", name: strict, http: {version: 2}, tls: {insecure: false}}
    """
    plan, usual = plan_of(flow, suite=shared), client_of(plan_of(flow, suite=shared))
    assert usual == ClientOptions(local_addresses=("127.0.0.2",), proxy=Proxy("127.0.0.1", 1), insecure=True)
    assert own(plan) == {
        "usual": None,
        "direct": replace(usual, proxy=None),
        "far": replace(usual, local_addresses=("127.0.0.3", "127.0.0.4")),
        "strict": replace(usual, http2=True, insecure=False),
    }
    assert plan.flows[0].clients == (usual, *(client for client in own(plan).values() if client is not None))


def test_a_step_that_says_what_its_flow_says_connects_as_the_flow_does() -> None:
    flow = "http: {local_address: 127.0.0.2}\nsteps: [{get: /x, name: x, http: {local_address: 127.0.0.2}}]"
    assert own(plan_of(flow)) == {"x": None}


def test_requests_of_all_kinds_connect_in_their_own_way() -> None:
    flow = """
    login: [{post: /in, name: in, http: {local_address: 127.0.0.1}}]
    steps:
      - {poll: {get: /p, name: poll, http: {local_address: 127.0.0.2}}, until: status() == 200, within: 1s}
      - {paginate: {get: /l, name: pages, http: {local_address: 127.0.0.3}}, next: $.n, pages: 2}
      - {upload: /u, name: upload, of: 2 MiB, part: 1 MiB, http: {local_address: 127.0.0.4}}
      - parallel: [{get: /a, name: a, http: {local_address: 127.0.0.5}}, {get: /b, name: b}]
    finally: [{post: /out, name: out, http: {local_address: 127.0.0.6}}]
    """
    found = {name: client and client.local_addresses[0] for name, client in own(plan_of(flow)).items()}
    ends = {"in": 1, "poll": 2, "pages": 3, "upload": 4, "a": 5, "out": 6}
    assert found == {name: f"127.0.0.{end}" for name, end in ends.items()} | {"b": None}


def test_a_fragment_gives_its_inputs_to_the_settings_of_its_steps(tmp_path: Path) -> None:
    part = tmp_path / "parts" / "ping.yml"
    part.parent.mkdir()
    part.write_text("inputs: {from: text}\nsteps: [{get: /x, name: x, http: {local_address: '${from}'}}]\n")
    flow = "steps: [{include: parts/ping.yml, with: {from: 127.0.0.9}}]"
    assert own(plan_of(flow, root=tmp_path)) == {"x": ClientOptions(local_addresses=("127.0.0.9",))}


def test_the_suite_s_own_steps_connect_in_their_own_way_too() -> None:
    settings = "preflight: [{get: /up, http: {proxy: 'http://ann:hunter22@127.0.0.1:3128'}}]"
    plan = plan_of(STEPS, suite=suite(settings))
    assert plan.preflight.requests[0].client == ClientOptions(proxy=Proxy("127.0.0.1", 3128, "ann", "hunter22"))
    assert plan.secrets.mask("hunter22") == "•••"


def test_what_a_step_proves_itself_with_is_secret_whether_the_suite_says_so_or_not(root: Path) -> None:
    given = inputs({"WHO": "annabel", "WORD": "hunter22", "KEY": "open-sesame"})
    http, tls = "http: {proxy: 'http://${env.WHO}:${env.WORD}@127.0.0.1:1'}", "{cert: both.pem, password: '${env.KEY}'}"
    base = "suite: test\nbase_url: https://127.0.0.1:1"
    plan = plan_of(f"steps: [{{get: /x, {http}, tls: {tls}}}]", inputs=given, root=root, suite=base)
    assert dict(plan.shown_inputs) == {"WHO": "•••", "WORD": "•••", "KEY": "•••"}
    assert plan.secrets.mask("annabel hunter22 open-sesame") == "••• ••• •••"


def test_the_guard_allows_the_proxy_of_a_step_too() -> None:
    with pytest.raises(VezaflowError, match=r"the proxy proxy\.lan is not loopback") as refused:
        plan_of("steps: [{get: /x, http: {proxy: 'http://proxy.lan:3128'}}]")
    assert refused.value.code is ExitCode.REFUSED


def test_certificates_of_a_step_are_tried_before_the_run(root: Path) -> None:
    step = "{get: 'https://127.0.0.1:1/', tls: {cert: client.pem, key: other.key}}"
    plan, diagnostics = plan_or_faults(f"steps: [{step}]", root=root)
    assert plan is None
    assert [(d.code, d.message) for d in diagnostics] == [
        ("VF703", "client.pem with other.key: the key does not belong to the certificate")
    ]


def test_http_2_of_a_step_to_an_address_from_the_environment_without_tls() -> None:
    flow = "base_url: ${env.BASE}\nsteps: [{get: /x}, {get: /y, http: {version: 2}}]"
    plan, diagnostics = plan_or_faults(flow, inputs=inputs({"BASE": "http://127.0.0.1:8080"}))
    assert plan is None
    assert [(d.code, d.span and d.span.text) for d in diagnostics] == [("VF426", "/y")]
