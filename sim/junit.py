"""JUnit XML, which CI systems read: one suite of named cases, each passed, failed or in error."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from ..printable import printable

__all__ = ["Case", "junit"]


@dataclass(frozen=True)
class Case:
    """One test case.

    Attributes
    ----------
    name : str
    seconds : float
        What it took.
    failure : str
        Why it failed, or "".
    output : str
        What else is to be said.
    error : str
        Why it could not be run, or "".
    """

    name: str
    seconds: float
    failure: str = ""
    output: str = ""
    error: str = ""


def junit(suite: str, cases: Sequence[Case]) -> bytes:
    """The XML of a suite, in UTF-8, well-formed whatever the texts hold."""
    root = ET.Element("testsuites")
    failures, errors = sum(bool(case.failure) for case in cases), sum(bool(case.error) for case in cases)
    suite = printable(suite)
    seconds = sum(case.seconds for case in cases)
    element = ET.SubElement(root, "testsuite", name=suite, tests=str(len(cases)), failures=str(failures),
                            errors=str(errors), skipped="0", time=f"{seconds:.3f}")
    for case in cases:
        entry = ET.SubElement(element, "testcase", classname=suite, name=printable(case.name),
                              time=f"{case.seconds:.3f}")
        if case.failure:
            ET.SubElement(entry, "failure", message=printable(case.failure), type="mismatch")
        if case.error:
            ET.SubElement(entry, "error", message=printable(case.error), type="error")
        if case.output:
            ET.SubElement(entry, "system-out").text = printable(case.output)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
