"""The keys of `http` and `tls`: how VUs connect. Only data, as in tables.py."""

from vezaflow.model.connections import Connections
from vezaflow.model.fields import Field, Kind, Table

CONNECTING: tuple[Field, ...] = (
    Field(
        "http",
        Kind.MAPPING,
        "How VUs connect: by which way, from which address, how long.",
        "{connections: per_iteration}",
        tables=("http",),
    ),
    Field(
        "tls",
        Kind.MAPPING,
        "How https servers are verified, and how VUs prove who they are.",
        "{ca: staging-ca.pem}",
        tables=("tls",),
    ),
)

HTTP = Table(
    "http",
    "http settings",
    "How VUs connect. A flow's word wins over the suite's, key by key.",
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

TLS = Table(
    "tls",
    "TLS options",
    "How https servers are verified, and how VUs prove who they are. A flow's word wins over the suite's, key by key.",
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
