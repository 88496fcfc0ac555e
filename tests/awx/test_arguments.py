# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder awx: what awx.awx takes, what AWX accepts beyond it, and names that lead to something."""

from __future__ import annotations

import json
import re

import pytest
import rules
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from conftest import CHECKOUT, KINDS

TEMPLATES = ("project", "job_template", "workflow_job_template")


@pytest.mark.parametrize("kind", KINDS)
def test_each_call_is_one_that_the_module_takes(calls, modules, kind):
    specification, rest = modules[kind]
    assert calls[kind]
    for call in calls[kind]:
        result = ArgumentSpecValidator(specification, **rest).validate(call)
        assert result.error_messages == [] and not result.unsupported_parameters, call["name"]
        # Nothing had to be made of something else: numbers are numbers, lists lists.
        changed = {name: value for name, value in call.items() if result.validated_parameters[name] != value}
        assert changed == {}, call["name"]


def test_an_argument_that_no_module_knows_is_found(calls, modules):
    """The test above can fail."""
    specification, rest = modules["job_template"]
    wrong = {**calls["job_template"][0], "survey": {}, "forks": "many"}
    assert len(ArgumentSpecValidator(specification, **rest).validate(wrong).error_messages) == 2


def test_no_two_things_share_a_name(calls):
    """awx.awx looks for a schedule's template among projects, job templates and workflows at once, and for the others in all organizations."""
    names = [call["name"] for kind in TEMPLATES for call in calls[kind]]
    assert len(names) == len(set(names))
    for kind in KINDS:
        assert len({call["name"] for call in calls[kind]}) == len(calls[kind])


def test_each_name_leads_to_something_that_is_made_before(calls):
    made: dict[str, set] = {kind: set() for kind in KINDS}
    made["credential"] |= {"Ansible Galaxy", "Lab hosts"}
    fields = {
        "organization": "organization", "execution_environment": "execution_environment", "default_environment": "execution_environment",
        "credential_type": "credential_type", "inventory": "inventory", "project": "project",
        "credentials": "credential", "galaxy_credentials": "credential", "hosts": "host",
        "notification_templates_success": "notification_template", "notification_templates_error": "notification_template",
    }  # fmt: skip
    for kind in KINDS:
        for call in calls[kind]:
            for field, wanted in fields.items():
                given = call.get(field, [])
                lost = {given} - made[wanted] if isinstance(given, str) else set(given) - made[wanted]
                assert not lost or kind == wanted, f"{kind} {call['name']}: {field} {lost}"
            made[kind].add(call["name"])
    for call in calls["workflow_job_template"]:
        assert {node["unified_job_template"]["name"] for node in call["workflow_nodes"]} <= made["job_template"]
    assert {call["unified_job_template"] for call in calls["schedule"]} <= made["workflow_job_template"]


def test_surveys_are_as_awx_wants_them(calls):
    surveys = {call["name"]: rules.survey(call["survey_spec"]) for call in calls["job_template"] if "survey_spec" in call}
    assert len(surveys) >= 3 and not any(surveys.values()), surveys
    assert all(call["survey_enabled"] for call in calls["job_template"] if "survey_spec" in call)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "boolean", "default": True},
        {"type": "multiselect", "choices": ["a"], "default": ["a"]},
        {"type": "float", "default": "0.5"},
        {"type": "float", "max": 1.5},
        {"type": "integer", "default": 3, "max": 2},
        {"type": "multiplechoice", "choices": ["a"], "default": "b"},
        {"required": None},
    ],
)
def test_a_survey_that_awx_refuses_is_refused(wrong):
    question = {"question_name": "Q", "variable": "v", "type": "text", "required": False, **wrong}
    assert rules.survey({"name": "", "description": "", "spec": [question]})


def test_no_answer_is_required_so_that_schedules_and_workflows_need_none(calls):
    assert not [question for call in calls["job_template"] for question in call.get("survey_spec", {"spec": []})["spec"] if question["required"]]


def test_the_rule_of_the_schedule_is_one_that_awx_takes(calls):
    assert [rules.rrule(call["rrule"]) for call in calls["schedule"]] == [[]]
    for wrong in ("RRULE:FREQ=DAILY;INTERVAL=1", "DTSTART:20260101T020000Z RRULE:FREQ=DAILY", "DTSTART:2026 RRULE:FREQ=DAILY;INTERVAL=1"):
        assert rules.rrule(wrong), wrong


def test_the_credential_type_makes_a_file_and_names_it(calls):
    (made,) = calls["credential_type"]
    assert rules.credential_type(made["kind"], made["inputs"], made["injectors"]) == []
    assert set(made["injectors"]["env"]) == {"K8S_AUTH_KUBECONFIG", "K8S_AUTH_CONTEXT"}
    assert rules.credential_type("kubernetes", made["inputs"], {"env": {"ANSIBLE_X": "{{ nothing }}"}})


def test_a_secret_is_sent_once(calls, kubeconfig):
    (credential,) = calls["credential"]
    assert credential["inputs"] == {"kubeconfig": kubeconfig.read_text().rstrip("\n"), "context": "admin@production"}
    assert credential["update_secrets"] is False


HOSTILE = ['"}, {{ 7 * 7 }} \\', "<script>alert(1)</script>", "{% for %}", "pod \u202e\u0007 \"'`$(id)"]
ARTIFACTS = {
    "podnet_verdict": "failed",
    "podnet_summary": {"total": 3, "passed": 1, "failed": 2, "warning": 0, "skipped": 0, "inconclusive": 0},
    "podnet_headlines": HOSTILE,
    "podnet_report_path": "/srv/podnet/report.html",
}


def rendered(call: dict, event: str, artifacts: dict) -> dict:
    context = {**rules.CONTEXT, "job": {**rules.CONTEXT["job"], "artifacts": artifacts}}
    return {part: rules.ENVIRONMENT.from_string(text).render(**context) for part, text in call["messages"][event].items()}


@pytest.mark.parametrize("event", ["success", "error"])
def test_notifications_say_what_the_artifacts_say(calls, event):
    for call in calls["notification_template"]:
        assert rules.notification(call["notification_type"], call["notification_configuration"], call["messages"]) == []
    webhook, mail = calls["notification_template"]
    told = json.loads(rendered(webhook, event, ARTIFACTS)["body"])
    assert told["headlines"] == HOSTILE and told["summary"] == ARTIFACTS["podnet_summary"] and told["verdict"] == "failed"
    assert json.loads(rendered(webhook, event, {})["body"])["verdict"] == "missing"
    told = rendered(mail, event, ARTIFACTS)
    assert told["message"] == "Pod routing failed: podnet report" and all(f"- {line}\n" in told["body"] for line in HOSTILE)


def test_only_the_report_notifies_since_only_its_word_is_the_last(calls):
    notify = [call["name"] for call in calls["job_template"] if "notification_templates_error" in call]
    assert notify == ["podnet report"]
    both = [call["name"] for call in calls["notification_template"]]
    (report,) = [call for call in calls["job_template"] if call["name"] == "podnet report"]
    assert report["notification_templates_success"] == report["notification_templates_error"] == both


def nodes_of(workflow: dict) -> dict[str, dict]:
    return {node["identifier"]: node for node in workflow["workflow_nodes"]}


def test_no_way_through_a_workflow_goes_past_the_report(calls):
    """And nothing follows on the report: a failed node with a link for failure is handled, and its workflow successful."""
    for workflow in calls["workflow_job_template"]:
        nodes = nodes_of(workflow)
        links = {name: node.get("related", {}) for name, node in nodes.items()}
        assert set().union(*links.values()) <= {"success_nodes", "failure_nodes", "always_nodes"}
        assert links["report"] == {}
        for name in set(nodes) - {"report", "destroy"}:
            for outcome in ("success_nodes", "failure_nodes"):
                after = [link["identifier"] for kind in (outcome, "always_nodes") for link in links[name].get(kind, [])]
                assert set(after) & (set(nodes) - {"destroy"}), f"{workflow['name']}: nothing after {name} by {outcome}"


def test_a_slice_for_each_shard(calls):
    (snapshot,) = [call for call in calls["job_template"] if call["name"] == "podnet snapshot"]
    (inventory,) = [call for call in calls["inventory"] if call["name"] == "podnet shards"]
    (group,) = [call for call in calls["group"] if call["name"] == "shards"]
    shards = [call["name"] for call in calls["host"] if call["inventory"] == "podnet shards"]
    assert snapshot["job_slice_count"] == len(shards) == 3
    assert inventory["variables"]["podnet_shards"] == group["hosts"] == shards == ["shard-1", "shard-2", "shard-3"]
    assert inventory["variables"]["ansible_connection"] == "local"
    assert inventory["variables"]["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"


def test_every_playbook_exists_and_awx_lists_it(calls):
    listed = rules.playbooks(CHECKOUT)
    named = {call["playbook"] for call in calls["job_template"]}
    assert named >= {f"playbooks/{name}.yml" for name in ("verify", "snapshot", "judge", "report", "deploy", "destroy")}
    assert named <= set(listed)


PROVIDERS = {"kind", "sandbox"}  # a playbook names them by a variable


def roles_of(playbook: str) -> set[str]:
    """The roles that a playbook of this collection includes or imports, and those that these stand on."""
    todo, found = {CHECKOUT / playbook}, set()
    while todo:
        text = todo.pop().read_text()
        named = set(re.findall(r"podnet\.calico\.(\w+)\"?$", text, re.MULTILINE)) | (PROVIDERS if "podnet.calico.{{" in text else set())
        for role in sorted(named - found):
            folder = CHECKOUT / "roles" / role
            if folder.is_dir():
                found.add(role)
                todo |= {folder / "meta" / "main.yml", *(folder / "tasks").glob("*.yml")}
    return found


def options_of(playbook: str) -> dict[str, dict]:
    options: dict[str, dict] = {}
    for role in roles_of(playbook):
        for entry in yaml.safe_load((CHECKOUT / "roles" / role / "meta/argument_specs.yml").read_text())["argument_specs"].values():
            options |= entry["options"]
    return options


#: Which types of answers fit which types of options.
FITTING = {
    "text": {"str"}, "textarea": {"str"}, "multiplechoice": {"str"}, "multiselect": {"list"}, "integer": {"int", "float"}, "float": {"float"},
}  # fmt: skip


def test_each_survey_asks_for_options_of_the_playbooks_roles_in_their_types(calls):
    asked = 0
    for call in calls["job_template"]:
        options = options_of(call["playbook"])
        for question in call.get("survey_spec", {"spec": []})["spec"]:
            option = options[question["variable"]]
            assert option["type"] in FITTING[question["type"]], question["variable"]
            assert set(question.get("choices", [])) <= set(map(str, option.get("choices", question.get("choices", [])))), question["variable"]
            asked += 1
    assert asked >= 10


def test_each_variable_of_a_template_or_inventory_is_one_of_the_roles(calls):
    plays = {"podnet_hosts"}  # a variable of the plays themselves
    for call in calls["job_template"]:
        unknown = set(call.get("extra_vars", {})) - set(options_of(call["playbook"])) - plays
        assert not unknown, f"{call['name']}: {unknown}"
    everything = {name for path in sorted({call["playbook"] for call in calls["job_template"]}) for name in options_of(path)}
    connection = {"ansible_connection", "ansible_python_interpreter"}
    for call in calls["inventory"] + calls["host"]:
        assert not set(call.get("variables", {})) - everything - connection, call["name"]


def test_what_survey_defaults_say_is_what_roles_take_without_them(calls):
    """Somebody who answers nothing gets the same in AWX as elsewhere."""
    for call in calls["job_template"]:
        options = options_of(call["playbook"])
        for question in call.get("survey_spec", {"spec": []})["spec"]:
            default = options[question["variable"]].get("default")
            if isinstance(default, str) and "{{" in default:
                continue  # of a cluster that is no lab: asserted where it is played
            given = question["default"].split("\n") if question["type"] == "multiselect" else question["default"]
            assert given == default, question["variable"]
