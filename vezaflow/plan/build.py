"""Suite + inputs → Plan. All that can be wrong with the inputs is said here, at once, before anything is sent."""

from collections.abc import Iterator, Mapping
from functools import partial

from vezaflow.diagnostics import Diagnostics, unknown
from vezaflow.errors import ExitCode, VezaflowError
from vezaflow.metrics import METRICS, Metric
from vezaflow.model import (
    DataSource,
    Each,
    Flow,
    Gate,
    Measure,
    RequestDefaults,
    Step,
    Suite,
    UrlError,
    Variable,
    assigned,
    environment,
    event_steps,
    gate_metrics,
    requests,
    secret_names,
)
from vezaflow.plan.bodies import BodyCompiler
from vezaflow.plan.compiled import UNKNOWN
from vezaflow.plan.connections import ConnectionPlanner, hidden, renews
from vezaflow.plan.data_sources import PlannedDataSource, plan_data_source
from vezaflow.plan.evaluate import Compiler
from vezaflow.plan.events import EventPlanner
from vezaflow.plan.gate import PlannedGate
from vezaflow.plan.held import held_load, judged_of_level
from vezaflow.plan.inputs import Inputs
from vezaflow.plan.load import FAILURE_BACKOFF, plan_load
from vezaflow.plan.names import Names
from vezaflow.plan.notify import AnnouncementPlanner, Announcements
from vezaflow.plan.observe import PrometheusPlanner
from vezaflow.plan.observed import PlannedPrometheus
from vezaflow.plan.outputs import OutputPlanner, PlannedOutput
from vezaflow.plan.plan import Plan, PlannedFlow, Preflight
from vezaflow.plan.production import barred, production_in, production_refusal
from vezaflow.plan.refused import refusal
from vezaflow.plan.requests import RequestCompiler
from vezaflow.plan.settings import Settings
from vezaflow.plan.steps import StepPlanner
from vezaflow.plan.surroundings import NO_SURROUNDINGS, Surroundings
from vezaflow.plan.targets import GuardError, Targets
from vezaflow.plan.traces import plan_trace
from vezaflow.plan.values import Values
from vezaflow.plan.walk import own_clients
from vezaflow.protocols import ClientOptions
from vezaflow.redact import Secrets, weakness
from vezaflow.syntax import Expression

PER_HOST = 6  # requests on their way, as in Chrome and Firefox: each has a connection of its own
PER_HOST_SHARED = 100  # over HTTP/2, where all share one: as many as servers should take at least (RFC 9113, 6.5.2)


def build(
    suite: Suite,
    inputs: Inputs,
    diagnostics: Diagnostics,
    around: Surroundings = NO_SURROUNDINGS,
) -> Plan | None:
    """The plan of a suite, or None with diagnostics. Raises VezaflowError where the guard or an option says no. Its
    audits are plans of their own: see `plan_audits`."""
    for fragment in suite.fragments:
        diagnostics.within(fragment.source.path, fragment.chain)
    return _Builder(suite, inputs, diagnostics, around).plan()


class _Builder:
    def __init__(
        self,
        suite: Suite,
        inputs: Inputs,
        diagnostics: Diagnostics,
        around: Surroundings,
    ) -> None:
        self._suite = suite
        self._surroundings = around
        self._inputs = inputs
        self._diagnostics = diagnostics
        self._bodies = BodyCompiler(suite.root, inputs.seed, diagnostics)
        self._chosen = _chosen(suite.flows, inputs)
        self._secrets = Secrets()  # all of them are known when the flows are
        self._barred = barred(suite, inputs.environment, inputs.base_url)

    def plan(self) -> Plan | None:
        suite, diagnostics = self._suite, self._diagnostics
        suite_steps = (*suite.preflight, *suite.setup, *event_steps(suite), *suite.teardown)
        values = Values.of_suite(self._inputs.environment, suite.vars, assigned(suite_steps), diagnostics)
        compiler = Compiler(values.names, diagnostics)
        settings = Settings(compiler, diagnostics)
        self._refuse_production(suite_steps, suite.vars)
        targets = self._make_targets(suite.base_url, suite.vars, settings)
        self._connections = ConnectionPlanner(suite.root, targets, diagnostics)
        client = self._connections.client((suite.defaults,), settings, targets.base)
        steps = self._steps(compiler, targets, (suite.defaults,), client)
        retry = suite.preflight_retry
        preflight = Preflight(
            requests=tuple(steps.requests.request(r) for r in suite.preflight),
            total=settings.seconds(retry.total) if retry else 0.0,
            every=max(0.1, settings.seconds(retry.every)) if retry else 1.0,
        )
        setup, teardown = steps.steps(suite.setup), steps.steps(suite.teardown)
        planner = EventPlanner(steps, compiler, settings, targets, diagnostics)
        events = tuple(planner.plan(event) for event in suite.events)
        self._shared_sources = self._data_sources(suite.data, "")
        flows = tuple(self._flow(flow, values, targets) for flow in self._chosen)
        gates = tuple(gate for gate in self._gates(settings) if self._inputs.held is None or judged_of_level(gate))
        guard_vus = self._guard_vus(flows, settings)
        announcements = self._announcements(values, settings)
        observe = self._observation(flows, settings)
        outputs = self._outputs(settings)
        self._check_secrets()
        if diagnostics.failed:
            return None
        happening = tuple(step for event in events for step in event.steps)
        around = own_clients((*preflight.requests, *setup, *happening, *teardown))
        clients = (client, *around, *(each for flow in flows for each in flow.clients))
        also = {*announcements.hidden(), *(text for each in clients for text in hidden(each))}
        also.update(observe.hidden() if observe is not None else ())
        also.update(text for output in outputs for text in output.hidden())
        also.update(text for flow in flows for _, data_source in flow.data_sources for text in data_source.hidden())
        secrets = self._secrets = Secrets.among(secret_names(suite), self._inputs.environment, also)
        return Plan(
            suite=suite.name,
            description=suite.description,
            targets=targets,
            variables=values.frozen(reset=False),
            client=client,
            preflight=preflight,
            setup=setup,
            teardown=teardown,
            flows=flows,
            gates=gates,
            inputs=self._inputs,
            shown_inputs=self._shown_inputs(secrets),
            secrets=secrets,
            guard_vus=guard_vus,
            announcements=announcements,
            observe=observe,
            events=events,
            outputs=outputs,
        )

    @staticmethod
    def _refuse_production(steps: tuple[Step, ...], variables: tuple[Variable, ...]) -> None:
        """Raises VezaflowError where a request's host is made of an input named like production."""
        for request in requests(steps):
            if name := production_in(request.url, variables, whole=False):
                raise production_refusal(name)

    def _make_targets(self, written: Expression | None, variables: tuple[Variable, ...], settings: Settings) -> Targets:
        """URLs under the base that was written, or under the command line's, which wins."""
        base = self._inputs.base_url
        if base is None and written is not None:
            if name := production_in(written, variables, whole=True):
                raise production_refusal(name)
            base = settings.value(written)
            base = "http://localhost" if base is UNKNOWN else str(base)
        try:
            return Targets(base, self._suite.guard.allow, self._barred)
        except UrlError as e:
            if written is None or self._inputs.base_url is not None:
                hint = e.help or "for instance --base-url http://127.0.0.1:8080"
                raise VezaflowError(f"--base-url: {e}", hint=hint) from None
            help_ = f"for instance http://{base}" if base and "://" not in base else e.help
            self._diagnostics.error("VF705", written.span, str(e), help=help_)
            return Targets("http://localhost", self._suite.guard.allow)  # so that no path below it is a fault, too
        except GuardError as e:
            raise refusal(str(e), e.hint) from None

    def _announcements(self, values: Values, settings: Settings) -> Announcements:
        if not self._surroundings.announces:
            return Announcements()
        constants = values.names.constants
        return AnnouncementPlanner(self._suite, self._inputs, constants, settings, self._diagnostics).plan()

    def _observation(self, flows: tuple[PlannedFlow, ...], settings: Settings) -> PlannedPrometheus | None:
        if not self._surroundings.observes:
            return None
        return PrometheusPlanner(self._suite, settings, self._diagnostics).plan(flows)

    def _outputs(self, settings: Settings) -> tuple[PlannedOutput, ...]:
        return OutputPlanner(self._suite, settings, self._diagnostics).plan(self._surroundings.outs)

    def _is_secret(self, data: bytes) -> bool:
        return self._secrets.mask_bytes(data) != data

    def _data_sources(self, data_sources: tuple[DataSource, ...], owner: str) -> dict[str, PlannedDataSource]:
        planned = (plan_data_source(data_source, owner, self._diagnostics) for data_source in data_sources)
        return {data_source.name: data_source for data_source in planned if data_source is not None}

    def _steps(
        self, compiler: Compiler, targets: Targets, defaults: tuple[RequestDefaults, ...], client: ClientOptions
    ) -> StepPlanner:
        connect = partial(self._connections.of_request, around=defaults, usual=client)
        requests = RequestCompiler(
            compiler, targets, self._bodies, self._diagnostics, defaults, connect, self._is_secret
        )
        return StepPlanner(compiler, requests, self._diagnostics, PER_HOST_SHARED if client.http2 else PER_HOST)

    def _flow(self, flow: Flow, suite: Values, targets: Targets) -> PlannedFlow:
        variables = (*self._suite.vars, *flow.vars)
        self._refuse_production((*flow.login, *flow.steps, *flow.final), variables)
        given = tuple(assigned(self._suite.setup))
        changed = assigned((*flow.login, *flow.steps, *flow.final))
        data_sources = self._shared_sources | self._data_sources(flow.data, flow.name)
        layers, environment = (self._suite.vars, flow.vars), self._inputs.environment
        values = Values.of_flow(environment, layers, given, changed, data_sources, suite, self._diagnostics)
        names, handed = values.names, (*given, *_of_run(self._suite, flow, suite.names))
        compiler = Compiler(names, self._diagnostics)
        settings = Settings(compiler, self._diagnostics)
        defaults = (flow.defaults, self._suite.defaults)
        if flow.base_url is not None:
            targets = self._make_targets(flow.base_url, variables, settings)
        client = self._connections.client(defaults, settings, targets.base)
        steps = self._steps(compiler, targets, defaults, client)
        login, body, final = steps.steps(flow.login), steps.steps(flow.steps), steps.steps(flow.final)
        measure = flow.measure or self._suite.measure
        held, load = self._inputs.held, plan_load(flow.load, flow.name, self._inputs, settings)
        return PlannedFlow(
            name=flow.name,
            description=flow.description,
            targets=targets,
            load=load if held is None else held_load(load, held),
            variables=values.frozen(reset=any(True for _ in assigned(flow.steps))),
            shared=tuple((suite.names.slots[n], names.slots[n]) for n in handed),
            data_sources=tuple(
                (slot, data_source)
                for name, data_source in data_sources.items()
                if (slot := names.slots.get(name)) is not None
            ),
            login=login,
            steps=(*values.fresh(), *body),
            final=final,
            think=settings.pause(flow.think) if flow.think else None,
            pace=settings.pause(flow.pace) if flow.pace else None,
            failure_backoff=FAILURE_BACKOFF if flow.failure_backoff is None else settings.seconds(flow.failure_backoff),
            judged_from=self._judged_from(measure, settings) if held is None else held.settle,
            judge_drain=measure.drain,
            client=client,
            renews=renews(defaults),
            span=flow.span,
            trace=plan_trace(flow.trace, self._suite.trace, settings),
        )

    @staticmethod
    def _judged_from(measure: Measure, settings: Settings) -> float:
        return settings.seconds(measure.skip) if measure.skip is not None else 0.0

    def _gates(self, settings: Settings) -> Iterator[PlannedGate]:
        known = gate_metrics(self._suite.observe, self._suite.events)
        for flow in self._chosen:
            for gate in (*flow.gates, *self._suite.each_flow):
                yield _gate(gate, flow.name, settings, known)
        for gate in self._suite.gates:
            yield _gate(gate, None, settings, known)

    def _guard_vus(self, flows: tuple[PlannedFlow, ...], settings: Settings) -> int | None:
        """The guard's limit on VUs, which the flows together keep."""
        if self._suite.guard.max_vus is None:
            return None
        most = settings.count(self._suite.guard.max_vus)
        total = sum(flow.load.max_vus for flow in flows)
        if total > most:
            raise VezaflowError(
                f"refused: the run needs {total} VUs, and `guard: {{max_vus: {most}}}` allows {most}",
                hint="use fewer VUs (--vus, --scale), or raise the limit in suite.yml",
                code=ExitCode.REFUSED,
            )
        return most

    def _check_secrets(self) -> None:
        """Secrets that can't be kept: they stand in too much of what is put out to be masked there."""
        for name, span in zip(self._suite.secrets, self._suite.secret_spans, strict=True):
            if why := weakness(self._inputs.environment.get(name, "")):
                self._diagnostics.error(
                    "VF706",
                    span,
                    f"the secret '{name}' can't be masked: {why}",
                    help="choose a longer one, or remove it from `secrets`",
                )

    def _shown_inputs(self, secrets: Secrets) -> tuple[tuple[str, str], ...]:
        shown: dict[str, str] = {}
        hidden_names = secret_names(self._suite)
        for need in environment(self._suite):
            value = self._inputs.environment.get(need.name)
            if value is not None:
                shown[need.name] = "•••" if need.name in hidden_names else secrets.mask(value)
        return tuple(sorted(shown.items()))


def _of_run(suite: Suite, flow: Flow, names: Names) -> Iterator[str]:
    """What the suite computes once for the run, and the flow does not give another value."""
    own = {variable.name for variable in flow.vars}
    return (v.name for v in suite.vars if v.each is Each.RUN and v.name in names.slots and v.name not in own)


def _gate(gate: Gate, flow: str | None, settings: Settings, known: Mapping[str, Metric]) -> PlannedGate:
    def seconds(expression: Expression | None) -> float | None:
        return settings.seconds(expression) if expression is not None else None

    return PlannedGate(
        flow=flow,
        metric=gate.metric,
        labels=gate.labels,
        condition=gate.condition,
        span=gate.span,
        abort=gate.abort,
        delay=seconds(gate.delay) or 0.0,
        window=seconds(gate.window),
        samples=gate.samples if gate.samples is not None else 1,
        own=None if gate.metric in METRICS else known.get(gate.metric),
    )


def _chosen(flows: tuple[Flow, ...], inputs: Inputs) -> tuple[Flow, ...]:
    known = [flow.name for flow in flows]
    for option, wanted in (("--only", inputs.only), ("--vus", tuple(inputs.vus))):
        for name in wanted:
            if name not in known:
                message, hint = unknown("flow", name, known)
                raise VezaflowError(f"{option}: {message}", hint=hint)
    for name in inputs.vus:
        if inputs.only and name not in inputs.only:
            raise VezaflowError(f"--vus: --only excludes the flow '{name}'", hint=f"add --only '{name}'")
    return tuple(flow for flow in flows if not inputs.only or flow.name in inputs.only)
