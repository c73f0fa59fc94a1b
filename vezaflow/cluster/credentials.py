"""The certificate of a cluster that lives as long as a run: its scheduler, workers and client know one another by it.

Dask's `Security.temporary` makes one that is valid from now on, which a machine whose clock is behind refuses.
"""

import datetime
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed import Security

_OFF = datetime.timedelta(days=2)  # that a machine's clock may be
_VALID = datetime.timedelta(days=30)  # longer than a run


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate and its key, both as PEM."""

    certificate: str
    key: str = field(repr=False)

    @classmethod
    def new(cls) -> "Credentials":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vezaflow")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _OFF)
            .not_valid_after(now + _VALID)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())

    @property
    def security(self) -> Security:
        """As Dask takes it: nobody without the key is spoken to."""
        return Security(  # type: ignore[no-untyped-call]
            require_encryption=True,
            tls_ca_file=self.certificate,
            **{f"tls_{role}_cert": self.certificate for role in ("client", "scheduler", "worker")},
            **{f"tls_{role}_key": self.key for role in ("client", "scheduler", "worker")},
        )
