"""Meaning: a suite and its inputs become a plan that the engine can interpret."""

from vezaflow.model import UrlError
from vezaflow.plan.audits import plan_audit, plan_audits
from vezaflow.plan.build import build
from vezaflow.plan.bundle import Bundle, BundleError
from vezaflow.plan.chance import Chance
from vezaflow.plan.checks import Failure, PlannedCheck
from vezaflow.plan.compiled import Constant, Evaluate
from vezaflow.plan.data_sources import PlannedDataSource
from vezaflow.plan.dealing import dealt, row_of_vu
from vezaflow.plan.deck import deck
from vezaflow.plan.deliveries import deliveries_of
from vezaflow.plan.division import Division
from vezaflow.plan.elsewhere import only_here
from vezaflow.plan.event_streams import PlannedEventStream, seconds_since_1970
from vezaflow.plan.events import (
    Address,
    PlannedAction,
    PlannedEvent,
    PlannedHAProxy,
    PlannedMark,
    PlannedProfile,
    PlannedSteps,
)
from vezaflow.plan.extractors import PlannedExtract
from vezaflow.plan.gate import PlannedGate
from vezaflow.plan.held import judged_of_level
from vezaflow.plan.hls import PlannedHls, PlaylistReading
from vezaflow.plan.inputs import HeldLevel, Inputs
from vezaflow.plan.load import PlannedLoad, PlannedStage
from vezaflow.plan.narrow import names_within, narrowed
from vezaflow.plan.notify import Announcements, Facts, PlannedGrafana, PlannedNotification, milliseconds
from vezaflow.plan.observed import ObservedMetric, PlannedPrometheus, SentPath
from vezaflow.plan.outgoing import Outgoing, PlannedPages, PlannedPoll, PlannedRequest, PlannedRetry, PlannedUpload
from vezaflow.plan.outputs import NO_OUTS, STATS, Out, Outs, PlannedOutput
from vezaflow.plan.pacing import WHOLE, Segment, Starts, VuChange, corners, outline, starts, vu_changes, vus_in_time
from vezaflow.plan.plan import Plan, PlannedAudit, PlannedFlow, Preflight, Variables
from vezaflow.plan.refused import RequestError
from vezaflow.plan.rendering import show
from vezaflow.plan.response import ResponseView
from vezaflow.plan.scope import UNSET, EvaluationError, Scope
from vezaflow.plan.steps import PlannedFor, PlannedParallel, PlannedStep
from vezaflow.plan.streams import Level, MasterPlaylist, MediaPlaylist, MediaSegment, Resource
from vezaflow.plan.surroundings import NO_SURROUNDINGS, Surroundings
from vezaflow.plan.targets import GuardError, Target, Targets
from vezaflow.plan.walk import blocks_of, pauses_in, requests_of
from vezaflow.plan.websockets import (
    PlannedAck,
    PlannedMessage,
    PlannedPing,
    PlannedReceive,
    PlannedReconnect,
    PlannedRepeated,
    PlannedSend,
    PlannedWebSocket,
)
from vezaflow.redact import Secrets

__all__ = [
    "NO_OUTS",
    "NO_SURROUNDINGS",
    "STATS",
    "UNSET",
    "WHOLE",
    "Address",
    "Announcements",
    "Bundle",
    "BundleError",
    "Chance",
    "Constant",
    "Division",
    "Evaluate",
    "EvaluationError",
    "Facts",
    "Failure",
    "GuardError",
    "HeldLevel",
    "Inputs",
    "Level",
    "MasterPlaylist",
    "MediaPlaylist",
    "MediaSegment",
    "ObservedMetric",
    "Out",
    "Outgoing",
    "Outs",
    "Plan",
    "PlannedAck",
    "PlannedAction",
    "PlannedAudit",
    "PlannedCheck",
    "PlannedDataSource",
    "PlannedEvent",
    "PlannedEventStream",
    "PlannedExtract",
    "PlannedFlow",
    "PlannedFor",
    "PlannedGate",
    "PlannedGrafana",
    "PlannedHAProxy",
    "PlannedHls",
    "PlannedLoad",
    "PlannedMark",
    "PlannedMessage",
    "PlannedNotification",
    "PlannedOutput",
    "PlannedPages",
    "PlannedParallel",
    "PlannedPing",
    "PlannedPoll",
    "PlannedProfile",
    "PlannedPrometheus",
    "PlannedReceive",
    "PlannedReconnect",
    "PlannedRepeated",
    "PlannedRequest",
    "PlannedRetry",
    "PlannedSend",
    "PlannedStage",
    "PlannedStep",
    "PlannedSteps",
    "PlannedUpload",
    "PlannedWebSocket",
    "PlaylistReading",
    "Preflight",
    "RequestError",
    "Resource",
    "ResponseView",
    "Scope",
    "Secrets",
    "Segment",
    "SentPath",
    "Starts",
    "Surroundings",
    "Target",
    "Targets",
    "UrlError",
    "Variables",
    "VuChange",
    "blocks_of",
    "build",
    "corners",
    "dealt",
    "deck",
    "deliveries_of",
    "judged_of_level",
    "milliseconds",
    "names_within",
    "narrowed",
    "only_here",
    "outline",
    "pauses_in",
    "plan_audit",
    "plan_audits",
    "requests_of",
    "row_of_vu",
    "seconds_since_1970",
    "show",
    "starts",
    "vu_changes",
    "vus_in_time",
]
