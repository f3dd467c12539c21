"""JUnit XML, which CI systems read: one suite of named cases, each passed or failed."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Case", "junit"]


@dataclass(frozen=True)
class Case:
    """One test case. ``failure``: why it failed, or "". ``output``: what else is to be said."""

    name: str
    seconds: float
    failure: str = ""
    output: str = ""


def junit(suite: str, cases: Sequence[Case]) -> bytes:
    """The XML of a suite, in UTF-8."""
    root = ET.Element("testsuites")
    failures = sum(bool(case.failure) for case in cases)
    element = ET.SubElement(root, "testsuite", name=suite, tests=str(len(cases)), failures=str(failures),
                            errors="0", skipped="0", time=f"{sum(case.seconds for case in cases):.3f}")
    for case in cases:
        entry = ET.SubElement(element, "testcase", classname=suite, name=case.name,
                              time=f"{case.seconds:.3f}")
        if case.failure:
            ET.SubElement(entry, "failure", message=_clean(case.failure), type="mismatch")
        if case.output:
            ET.SubElement(entry, "system-out").text = _clean(case.output)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text)
