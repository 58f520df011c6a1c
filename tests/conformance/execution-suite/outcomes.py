"""A pytest plugin: writes every test's id and outcome as JSON to the file SUITE_OUTCOMES names."""
import json
import os

outcomes = {}
RANK = {"passed": 0, "skipped": 1, "failed": 2}


def pytest_runtest_logreport(report):
    # A test has three phases; the worst counts (a fixture that fails makes "failed" too).
    known = outcomes.get(report.nodeid)
    if known is None or RANK[report.outcome] > RANK[known]:
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish():
    with open(os.environ["SUITE_OUTCOMES"], "w", encoding="utf-8") as file:
        json.dump(outcomes, file, indent=1, sort_keys=True)
        file.write("\n")
