"""The keys of `http` and `tls`: how VUs connect. Only data, as in tables.py."""

from dataclasses import replace

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import Connections

_TLS = Field(
    "tls",
    Kind.MAPPING,
    "How https servers are verified, and how VUs prove who they are.",
    "{ca: staging-ca.pem}",
    tables=("tls",),
)

CONNECTING: tuple[Field, ...] = (
    Field(
        "http",
        Kind.MAPPING,
        "How VUs connect: by which way, from which address, how long.",
        "{connections: per_iteration}",
        tables=("http",),
    ),
    _TLS,
)

# The same of one request, which has nothing to say on how long connections live.
CONNECTING_ONE: tuple[Field, ...] = (
    Field(
        "http",
        Kind.MAPPING,
        "How this request's connection comes about: by which way, from which address.",
        "{version: 2}",
        default="the flow's",
        tables=("request http",),
    ),
    replace(
        _TLS,
        doc="How the server of this request is verified, and how VUs prove to it who they are.",
        example="{cert: client.pem}",
        default="the flow's",
    ),
)

HTTP = Table(
    "http",
    "http settings",
    "How VUs connect. The nearest word wins, key by key: a step's, a flow's, the suite's.",
    (
        Field(
            "version",
            Kind.VERSION,
            "The version of HTTP; `2` is agreed on over TLS, and a server that does not speak it fails the request.",
            "2",
            default="1.1",
        ),
        Field(
            "connections",
            Kind.CHOICE,
            "How long a VU keeps its connections; `per_iteration` connects anew in each, TLS handshake included.",
            "per_iteration",
            choices=tuple(each.value for each in Connections),
            default="keep",
        ),
        Field(
            "proxy",
            Kind.PROXY,
            "An HTTP proxy that all requests go through; `none` switches an inherited one off.",
            "${env.LOAD_PROXY}",
            default="none; HTTP_PROXY and the like are not read",
        ),
        Field(
            "local_address",
            Kind.ADDRESSES,
            "The address of this machine that VUs connect from; they are dealt over several in turn.",
            "[10.0.0.11, 10.0.0.12]",
            default="the system's choice",
        ),
    ),
)

REQUEST_HTTP = Table(
    "request http",
    "http settings of a request",
    "How one request's connection comes about. The nearest word wins, key by key: a step's, a flow's, the suite's.",
    tuple(replace(field, default="the flow's") for field in HTTP.fields if field.key != "connections"),
)

TLS = Table(
    "tls",
    "TLS options",
    "How https servers are verified, and how VUs prove who they are. The nearest word wins, key by key.",
    (
        Field(
            "ca",
            Kind.PATH,
            "A PEM file with the certificates to trust.",
            "staging-ca.pem",
            default="the system's certificates",
        ),
        Field("insecure", Kind.SWITCH, "Trust any certificate.", "true", default="false"),
        Field(
            "cert",
            Kind.PATH,
            "A PEM file with the certificate that VUs show to servers that ask, and its chain.",
            "client.pem",
            default="none",
        ),
        Field(
            "key",
            Kind.PATH,
            "A PEM file with the private key of `cert`.",
            "client.key",
            default="it stands in the file of `cert`",
        ),
        Field("password", Kind.TEMPLATE, "What the private key is encrypted with.", "${env.CLIENT_KEY_PASSWORD}"),
    ),
)
