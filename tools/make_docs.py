"""Write the pages of the collection's docs/ that repeat what the code says.

The modules' options, the roles' variables, the documents' fields and the causes
each have one home in the code; ``make docs`` writes the pages from there, and a
test fails when a page is not what this would write.
"""

from __future__ import annotations

import ast
import json
import pathlib
import re
import sys
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "collections/ansible_collections/memops/linux"
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.memops.linux.plugins.module_utils.memory_fault.catalogue import FAULTS  # noqa: E402
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.causes.catalogue import RULES  # noqa: E402
from ansible_collections.memops.linux.plugins.plugin_utils.diagnosis.verdict import CODES  # noqa: E402
from ansible_collections.memops.linux.tests.unit.controller.log_lines.log_forms import FORMS, messages  # noqa: E402

MODULES = tuple(sorted(path.stem for path in (COLLECTION / "plugins/modules").glob("*.py")))
ROLES = tuple(sorted(path.parent.parent.name for path in (COLLECTION / "roles").glob("*/meta/argument_specs.yml")))
EXAMPLES = ROOT / "inventory.example/group_vars"
_MARKUP = re.compile(r"\b([A-Z])\(([^)]*)\)")


def pages() -> dict[pathlib.Path, str]:
    """Each generated page's path and text."""
    made = {COLLECTION / "docs" / f"{name}.md": module_page(name) for name in MODULES}
    made[COLLECTION / "docs/causes.md"] = causes_page()
    made[COLLECTION / "docs/log-prefixes.md"] = prefixes_page()
    made[COLLECTION / "docs/faults.md"] = faults_page()
    made[COLLECTION / "docs/evidence.md"] = schema_page("evidence-1", "Evidence")
    made[COLLECTION / "docs/diagnosis.md"] = schema_page("diagnosis-1", "Diagnosis")
    made[COLLECTION / "docs/audit.md"] = schema_page("audit-1", "Audit")
    made[COLLECTION / "docs/comparison.md"] = schema_page("comparison-1", "Comparison")
    made[COLLECTION / "docs/response.md"] = schema_page("response-1", "Response")
    made.update({COLLECTION / "roles" / role / "README.md": role_page(role) for role in ROLES})
    return made


def module_page(name: str) -> str:
    """A module's options, examples and results, from the module's own texts."""
    texts = _constants(COLLECTION / "plugins/modules" / f"{name}.py")
    doc, results = yaml.safe_load(texts["DOCUMENTATION"]), yaml.safe_load(texts["RETURN"])
    for fragment in doc.get("extends_documentation_fragment", []):
        doc["options"].update(_fragment_options(fragment))
    lines = [f"# memops.linux.{name}", "", f"{doc['short_description']}. The same as `ansible-doc memops.linux.{name}`.", ""]
    lines += [f"- {_plain(text)}" for text in doc["description"]]
    lines += ["", "## Options", "", "| option | type | default | |", "|---|---|---|---|"]
    lines += _options(doc["options"], "", "suboptions")
    lines += ["", "## Examples", "", "```yaml", texts["EXAMPLES"].strip(), "```", "", "## Results", "", "| key | type | returned | |", "|---|---|---|---|"]
    for key, spec in results.items():
        described = spec["description"] if isinstance(spec["description"], list) else [spec["description"]]
        lines.append(f"| `{key}` | {spec['type']} | {_plain(spec['returned'])} | {' '.join(_plain(text) for text in described)} |")
    return "\n".join(lines) + "\n"


def _fragment_options(name: str) -> dict[str, Any]:
    """The options that ``memops.linux.FILE`` or ``memops.linux.FILE.PART`` brings."""
    _namespace, _collection, file, *part = name.split(".")
    tree = ast.parse((COLLECTION / "plugins/doc_fragments" / f"{file}.py").read_text())
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return yaml.safe_load(_constant_texts(body)[(part or ["DOCUMENTATION"])[0].upper()]).get("options") or {}


def role_page(role: str) -> str:
    """A role's README: what it does, how the example inventory uses it, its variables."""
    folder = COLLECTION / "roles" / role
    spec = yaml.safe_load((folder / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    lines = [f"# memops.linux.{role}", "", f"{spec['short_description']}.", ""]
    lines += [*(f"{_plain(text)}" for text in _texts(spec["description"])), "", "## Example", ""]
    enforced = "rolled_back" in spec["options"].get(f"{role}_state", {}).get("choices", [])
    if enforced:
        lines += ["With a playbook of one's own, or with `enforce.yml`, which takes the same variables from the inventory:", ""]
    lines.append("```yaml")
    lines += ["- name: Apply the role", "  hosts: all", "  roles:", f"    - memops.linux.{role}", "```", ""]
    for path in sorted(EXAMPLES.glob("*.yml")):
        used = {name: value for name, value in yaml.safe_load(path.read_text()).items() if name.startswith(f"{role}_")}
        if used:
            text = yaml.safe_dump(used, sort_keys=False, default_flow_style=None, width=120).rstrip()
            lines += [f"Hosts of the group `{path.stem}` in the example inventory:", "", "```yaml", text, "```", ""]
    if enforced:
        words = ("enforce -i FLEET --check --diff", "enforce -i FLEET", "audit -i FLEET", "rollback -i FLEET")
        lines += ["What would be changed, what is changed, what has drifted, and back again:", "", "```console"]
        lines += [*(f"$ ansible-playbook memops.linux.{each}" for each in words), "```", ""]
    lines += ["## Variables", "", "| variable | type | default | |", "|---|---|---|---|", *_options(spec["options"], "", "options")]
    if enforced:
        lines += ["", "From any role's play: `memops_run` (the run's name), `memops_reason` and `memops_diagnosis` go into the host's journal,"]
        lines.append(f"`memops_rollback_run` and `memops_rollback_keys` say what `{role}_state: rolled_back` takes back.")
    return "\n".join(lines) + "\n"


def _options(options: dict[str, Any], prefix: str, inner: str) -> list[str]:
    rows = []
    for name, spec in options.items():
        default = "required" if spec.get("required") else "" if spec.get("default") is None else f"`{json.dumps(spec['default'])}`"
        told = " ".join(_plain(text) for text in _texts(spec.get("description", [])))
        kind = spec.get("type", "str") + (f" of {spec['elements']}" if "elements" in spec else "")
        choices = f" One of {', '.join(f'`{choice}`' for choice in spec['choices'])}." if "choices" in spec else ""
        rows.append(f"| `{prefix}{name}` | {kind} | {default} | {told}{choices} |")
        rows += _options(spec.get(inner) or {}, f"{prefix}{name}[]." if spec.get("type") == "list" else f"{prefix}{name}.", inner)
    return rows


def _texts(text: str | list[str]) -> list[str]:
    return text if isinstance(text, list) else [text]


def causes_page() -> str:
    """Verdicts and causes: what each means and rests on."""
    lines = [
        "# Verdicts and causes",
        "",
        "Written from the code by `make docs`.",
        "",
        "## Verdicts",
        "",
        "| code | it means |",
        "|---|---|",
        *(f"| `{code}` | {meaning} |" for code, meaning in CODES.items()),
        "",
        "Confidence is `certain` (the sources say it), `probable` (they fit, something is missing) or `possible`.",
        "Where the evidence that a rule needs is missing, the incident has no cause and says what is missing.",
        "",
        "## Causes",
        "",
        "One rule each. Of several that hold, the surer leads; of equally sure ones, the one that stands first here:",
        "the specific explains the general, a protected hog explains why RAM ran out. The others are kept as contributing causes.",
        "",
        "| cause | explains | it says | it needs | rests on |",
        "|---|---|---|---|---|",
    ]
    for rule in RULES:
        told = " ".join((rule.judge.__doc__ or "").split("\n\n")[0].split())
        lines.append(f"| `{rule.cause}` | {', '.join(f'`{kind}`' for kind in sorted(rule.kinds))} | {told} | {rule.needs} | {rule.reference} |")
    return "\n".join(lines) + "\n"


def prefixes_page() -> str:
    """The forms of logs, each with the end of a recording as it looks there."""
    lines = [
        "# Forms of logs that are read",
        "",
        "Written from the tests by `make docs`. What stands before, around and between a log's messages is taken off, in any combination;",
        "what the messages themselves may say is on the page of [their forms](kernel-log-forms.md). In each of these forms every recording",
        "of a real kernel in `tests/unit/fixtures/kernel_logs` must say just what it says in the ring buffer. Here are the last two lines of one.",
        "",
    ]
    said = [(uptime, text) for uptime, text in messages("linux-6.1-memcg-docker") if text.startswith(("oom-kill:", "Memory cgroup out of memory: K"))]
    for name, form in FORMS.items():
        written = form(said)
        text = written.decode("utf-16" if name == "UTF-16" else "utf-8", "replace") if isinstance(written, bytes) else written
        shown = [line[:150].replace("\x1b", "\\x1b").replace("\r", "\\r") for line in text.splitlines(keepends=False) if line.strip()][:8]
        lines += [f"## {name}", "", "```text", *(line.rstrip() for line in shown), "```", ""]
    return "\n".join(lines)


def faults_page() -> str:
    """What can be reproduced: each fault, what it may kill, and what a diagnosis should say of it."""
    lines = [
        "# Faults on purpose",
        "",
        "Written from the code by `make docs`. What diagnoses made of them is in [accuracy.md](accuracy.md).",
        "",
        "A staging host, an alert or a remedy is tried on the real thing: `reproduce.yml` makes one fault, and `diagnose.yml` says what it sees.",
        "In the inventory, `reproduce_allowed: true` marks the hosts that it may happen to, and `reproduce_whole_host: true` those that may be",
        "lost altogether. Without them it refuses. Before it starts it says what it will do and what it may kill, and `--check --diff` says only that.",
        "",
        "```console",
        "$ ansible-playbook memops.linux.reproduce -i staging.yml -e target=staging1 -e reproduce_fault=memcg_anon --check --diff",
        "$ ansible-playbook memops.linux.reproduce -i staging.yml -e target=staging1 -e reproduce_fault=memcg_anon",
        "$ ansible-playbook memops.linux.diagnose -i staging.yml -e target=staging1 -e diagnose_since=10m",
        "```",
        "",
        "Faults that kill nobody last until they are ended, so that they can be diagnosed: `-e reproduce_keep_seconds=600` returns when the fault has",
        "come about and leaves it for so long; `-e reproduce_state=cleaned` ends it sooner. Dead containers stay for the same time.",
        "",
        "What it changes is noted in `/run/memops-fault/journal` before it is changed, and undone when the fault ends: also when its time is over,",
        "when it is killed, or when the connection is lost. Files lie in `/var/tmp/memops-fault`; only a host that crashed in the middle of a fault",
        "keeps those, until the next one.",
        "",
        "| fault | what it does | bounded by | may kill | needs | diagnosis |",
        "|---|---|---|---|---|---|",
    ]
    for name, fault in FAULTS.items():
        expect = fault["expect"]
        needs = ", ".join(need.replace("_", " ") for need in fault["needs"]) or "-"
        said = " or ".join([*expect["kinds"]]) + ": " + (" or ".join(expect["causes"]) or "no cause") if expect["kinds"] else expect["verdict"]
        said += f" ({', '.join(expect['findings'])})" if expect["findings"] else ""
        bound = "nothing: the whole host" if fault["scope"] == "host" else f"its {fault['scope']}"
        lines.append(f"| `{name}` | {fault['does']} | {bound} | {fault['may_kill']} | {needs} | {said} |")
    return "\n".join(lines) + "\n"


def schema_page(name: str, title: str) -> str:
    """A document's fields, from its JSON Schema."""
    schema = json.loads((COLLECTION / "docs/schemas" / f"{name}.schema.json").read_text())
    lines = [f"# {title}", "", f"{schema['description']}", "", f"JSON Schema: [schemas/{name}.schema.json](schemas/{name}.schema.json)", ""]
    lines += ["| field | type | |", "|---|---|---|"]
    lines += _fields(schema, "", schema.get("$defs", {}))
    return "\n".join(lines) + "\n"


def _fields(schema: dict[str, Any], prefix: str, definitions: dict[str, Any]) -> list[str]:
    rows = []
    for name, spec in schema.get("properties", {}).items():
        while "$ref" in spec:
            spec = {**definitions[spec["$ref"].rsplit("/", 1)[-1]], **{key: value for key, value in spec.items() if key != "$ref"}}
        path = f"{prefix}{name}"
        rows.append(f"| `{path}` | {_type(spec)} | {spec.get('description', '')} |".replace("  ", " "))
        inner = spec.get("items", spec)
        inner = definitions[inner["$ref"].rsplit("/", 1)[-1]] if "$ref" in inner else inner
        rows += _fields(inner, f"{path}[]." if "items" in spec else f"{path}.", definitions)
    return rows


def _type(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return "one of " + ", ".join("null" if value is None else f"`{value}`" for value in spec["enum"])
    if "const" in spec:
        return f"`{spec['const']}`"
    kind = spec.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else kind


def _plain(text: str) -> str:
    """Ansible's markup as Markdown: V(x), O(x), C(x) and M(x) are code."""
    return _MARKUP.sub(r"`\2`", text).replace("|", "\\|")


def _constants(path: pathlib.Path) -> dict[str, str]:
    return _constant_texts(ast.parse(path.read_text()).body)


def _constant_texts(body: list[ast.stmt]) -> dict[str, str]:
    return {
        node.targets[0].id: node.value.value
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant)
    }


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text)
        print(page.relative_to(ROOT))
