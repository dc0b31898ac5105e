#!/usr/bin/python3
"""Adds up the results of one run: gtest's and pytest's XML and TAP. Its last line is "N passed, N failed"."""
import pathlib
import re
import sys
import xml.etree.ElementTree as ET


def count_xml(path):
    passed, failed, skipped = [], [], []
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None or case.get("result") == "skipped" or case.get("status") == "notrun":
            skipped.append(name)
        else:
            passed.append(name)
    return passed, failed, skipped


def count_tap(path):
    text = path.read_text(errors="replace")
    passed = re.findall(r"^ok \d+.*$", text, re.M)
    failed = re.findall(r"^not ok \d+.*$", text, re.M)
    return passed, failed, []


def main():
    run_failed, directory = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    totals = ([], [], [])
    for path in sorted(directory.iterdir()):
        counts = count_xml(path) if path.suffix == ".xml" else count_tap(path) if path.suffix == ".tap" else ([], [], [])
        for total, part in zip(totals, counts):
            total.extend(part)
    passed, failed, skipped = totals
    for name in failed:
        print("FAILED", name)
    # A program that died before it wrote its results has failed too.
    failures = max(len(failed), run_failed)
    print(f"{len(passed)} passed, {failures} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failures or not passed else 0


sys.exit(main())
