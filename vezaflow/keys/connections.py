"""The keys of `http` and `tls`: how VUs connect. Only data, as in tables.py."""

from dataclasses import replace

from vezaflow.keys.fields import Field, Kind, Table
from vezaflow.model import ConnectionLifetime

_TLS = Field(
    "tls",
    Kind.MAPPING,
    "How https servers are verified, and how VUs authenticate with certificates.",
    "{ca: staging-ca.pem}",
    tables=("tls",),
)

CONNECTING: tuple[Field, ...] = (
    Field(
        "http",
        Kind.MAPPING,
        "How VUs connect: HTTP version, proxy, local address, and how long connections are kept.",
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
        "How this request connects: HTTP version, proxy, local address.",
        "{version: 2}",
        default="the flow's",
        tables=("request http",),
    ),
    replace(
        _TLS,
        doc="How the server of this request is verified, and how VUs authenticate with certificates.",
        example="{cert: client.pem}",
        default="the flow's",
    ),
)

HTTP = Table(
    "http",
    "http settings",
    "How VUs connect. For each key the most specific setting wins: a step's, then a flow's, then the suite's.",
    (
        Field(
            "version",
            Kind.VERSION,
            "The HTTP version; `2` is negotiated over TLS (ALPN), and a request to a server without HTTP/2 fails.",
            "2",
            default="1.1",
        ),
        Field(
            "connections",
            Kind.CHOICE,
            "How long a VU keeps its connections; `per_iteration` reconnects in every iteration, with a new TLS "
            "handshake.",
            "per_iteration",
            choices=tuple(each.value for each in ConnectionLifetime),
            default="keep",
        ),
        Field(
            "proxy",
            Kind.PROXY,
            "An HTTP proxy for all requests; `none` turns an inherited one off.",
            "${env.LOAD_PROXY}",
            default="none; HTTP_PROXY and similar variables are ignored",
        ),
        Field(
            "local_address",
            Kind.ADDRESSES,
            "The address of this machine that VUs connect from; several are assigned to the VUs in turn.",
            "[10.0.0.11, 10.0.0.12]",
            default="the system's choice",
        ),
    ),
)

REQUEST_HTTP = Table(
    "request http",
    "http settings of a request",
    "How one request connects. For each key the most specific setting wins: a step's, then a flow's, then the suite's.",
    tuple(replace(field, default="the flow's") for field in HTTP.fields if field.key != "connections"),
)

TLS = Table(
    "tls",
    "TLS options",
    "How https servers are verified, and how VUs authenticate with certificates. For each key the most specific "
    "setting wins.",
    (
        Field(
            "ca",
            Kind.PATH,
            "A PEM file with the certificates to trust.",
            "staging-ca.pem",
            default="the system's certificates",
        ),
        Field("insecure", Kind.SWITCH, "Skip the verification of certificates.", "true", default="false"),
        Field(
            "cert",
            Kind.PATH,
            "A PEM file with the client certificate of the VUs, and its chain.",
            "client.pem",
            default="none",
        ),
        Field(
            "key",
            Kind.PATH,
            "A PEM file with the private key of `cert`.",
            "client.key",
            default="it is in the file of `cert`",
        ),
        Field("password", Kind.TEMPLATE, "The passphrase of the private key.", "${env.CLIENT_KEY_PASSWORD}"),
    ),
)
