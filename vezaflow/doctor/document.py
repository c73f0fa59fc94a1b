"""An Examination as JSON: names and units are those of the other documents (seconds, bytes; null where not known)."""

from typing import Any

from vezaflow.doctor.finding import Examination
from vezaflow.doctor.page import headline
from vezaflow.limits import MostVus


def to_json(found: Examination) -> dict[str, Any]:
    """What `--format json` prints."""
    most = found.estimate
    return {
        "headline": headline(found),
        "exit_code": int(found.exit_code),
        "estimate": {
            "requests_per_second": most.requests,
            "workers": most.workers,
            "vus_http": _vus(most.http),
            "vus_https": _vus(most.https),
        },
        "findings": [
            {
                "part": finding.part.name.lower(),
                "name": finding.name,
                "grade": finding.grade.name.lower(),
                "text": finding.text,
                "value": finding.value,
                "remedy": finding.remedy,
                "exit_code": int(finding.code),
            }
            for finding in found.findings
        ],
    }


def _vus(most: MostVus) -> dict[str, Any]:
    return {"vus": most.vus, "limit": most.limit}
