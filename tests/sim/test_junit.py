"""The XML for CI systems: well-formed whatever the texts hold, and counted right."""

import xml.etree.ElementTree as ET

import pytest
from firstspike.printable import printable
from firstspike.sim.junit import Case, junit


def test_passed_failed_and_in_error():
    said = junit("suite", [Case("right", 1.5, output="3 spikes"), Case("wrong", 0.25, failure="2 mismatches"),
                           Case("broken", 0.0, error="no images")])
    suite = ET.fromstring(said)[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")] == [
        "3", "1", "1", "0", "1.750"]
    assert [[part.tag for part in case] for case in suite] == [["system-out"], ["failure"], ["error"]]
    assert suite[1][0].get("message") == "2 mismatches" and suite[2][0].get("message") == "no images"


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "\udcff", "\ufffe", "a\nb", "<&\"'>"])
def test_well_formed(text):
    suite = ET.fromstring(junit(text, [Case(text, 0.0, failure=text, output=text, error=text)]))[0]
    clean = printable(text)
    assert clean in suite.get("name") and clean in suite[0].get("name")
    assert all(clean in (part.get("message") or part.text) for part in suite[0])
