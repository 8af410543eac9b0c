#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: log_diagnosis
short_description: Diagnose saved logs
version_added: 1.0.0
description:
  - Reads saved logs, sosreports and saved evidence on the controller, and keeps a diagnosis for each in the folder of a new run.
  - Connects to no host. The work is spread over the cores of the controller.
  - One that cannot be read is an entry that says why, and no end of the run.
options:
  logs:
    description:
      - Paths of logs, globs, folders, sosreports or saved evidence.
      - A file is taken as what it holds, whatever its name is. Logs may be plain or packed with gzip, bzip2, xz, or
        (where the controller's Python is 3.14 or newer) zstd; archives are tar, packed or not.
      - A folder is read with what is below it. Hidden files, links to folders, pipes, devices and binary data are passed over and named.
      - Each log is an entry of the report, named by its file without packing and kind, C(case.log.gz) as C(case); each
        sosreport is one, named by its host; saved evidence is named by its file, or, if that is C(evidence.json), by its host.
        Entries that would have the same name get the shortest end of their path that is theirs alone, with colons, as in C(web1:messages).
    type: list
    elements: str
    required: true
  path:
    description:
      - The folder that holds all runs. The new run's folder is made there, and C(latest) points to it.
    type: path
    required: true
  processes:
    description:
      - How many logs are read at the same time. As many as there are cores if it is not given.
    type: int
  unpacked_limit_bytes:
    description:
      - So many bytes at most are unpacked from one packed file or one archive. What lies behind is not read, and the entry says so.
    type: int
    default: 8589934592
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.diagnosis_report
"""

EXAMPLES = r"""
- name: Read a customer's logs and diagnose each
  memops.linux.log_diagnosis:
    logs:
      - /srv/cases/4711/sosreport-web1.tar.xz
      - /srv/cases/4711/var-log/
    path: reports
  register: run

- name: Write and show the report
  memops.linux.diagnosis_report:
    state: written
    path: "{{ run.path }}"
    subjects: logs
"""

RETURN = r"""
path:
  description: The folder of the run.
  type: str
  returned: always
entries:
  description: How many entries the report will have.
  type: int
  returned: always
counts:
  description: How many entries have each verdict.
  type: dict
  returned: always
  sample: {memory: 12, healthy: 3, no_evidence: 1}
passed_over:
  description: What was passed over and why, the first thousand.
  type: list
  elements: dict
  returned: always
  sample: [{path: /srv/cases/4711/photo.png, why: "it is a picture; memops reads text"}]
passed_over_count:
  description: How much was passed over.
  type: int
  returned: always
"""

# The work is done by the action plugin of the same name; this file documents it.
