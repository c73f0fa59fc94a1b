"""JUnit XML, for the test pages of CI systems: a suite for each scope of gates, a case for each gate.

A gate that failed is a failure, one that could not be judged an error. What stands against trusting the figures is an
error too: a run that is not green never shows as one.
"""

import re
from functools import cache
from xml.etree import ElementTree as ET

from vezaflow.gates import Outcome, Verdict
from vezaflow.reports import rows
from vezaflow.results import RunResult


@cache  # 5 ms, of each run that writes no such report
def _not_xml() -> re.Pattern[str]:
    return re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: RunResult) -> str:
    """The document's text."""
    root = ET.Element("testsuites", name=_xml(result.suite), time=f"{result.duration:.3f}")
    for scope, verdicts in rows.by_scope(result):
        _suite(root, result, f"{result.suite}: {scope}", [_case(result, scope, verdict) for verdict in verdicts])
    _suite(root, result, f"{result.suite}: the run", _trust(result))
    _total(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, result: RunResult, name: str, cases: list[ET.Element]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_xml(name), timestamp=result.started.isoformat())
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for outcome in ("failure", "error"):
        suite.set(f"{outcome}s", str(sum(case.find(outcome) is not None for case in cases)))


def _total(root: ET.Element) -> None:
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))


def _case(result: RunResult, scope: str, verdict: Verdict) -> ET.Element:
    case = ET.Element("testcase", classname=_xml(f"{result.suite}.{scope}"), name=_xml(verdict.gate.text))
    match verdict.outcome:
        case Outcome.RED:
            ET.SubElement(case, "failure", message=_xml(verdict.reason)).text = _xml(str(verdict.gate.span))
        case Outcome.INCONCLUSIVE:
            ET.SubElement(case, "error", message=_xml(verdict.reason)).text = _xml(str(verdict.gate.span))
        case Outcome.GREEN:
            text = f"{verdict.shown} {rows.margin_text(verdict)}".rstrip()
            ET.SubElement(case, "system-out").text = _xml(text)
    return case


def _trust(result: RunResult) -> list[ET.Element]:
    """One case for each concern; a single good one when there is none."""
    name = "the figures can be trusted"
    if not result.concerns:
        return [ET.Element("testcase", classname=_xml(result.suite), name=name)]
    cases = []
    for concern in result.concerns:
        case = ET.Element("testcase", classname=_xml(result.suite), name=f"{name}: {concern.kind.value}")
        ET.SubElement(case, "error", message=_xml(concern.text)).text = _xml(concern.remedy)
        cases.append(case)
    return cases


def _xml(text: str) -> str:
    return _not_xml().sub("�", text)
