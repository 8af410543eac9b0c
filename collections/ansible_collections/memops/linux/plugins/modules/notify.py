#!/usr/bin/python
# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: notify
short_description: Tell people through Apprise
version_added: 1.0.0
description:
  - Sends a notice to every address that Apprise knows a service for, such as a webhook, mail, Slack, or a pager.
  - Text of hosts may be in it. What a service would take for a mention, a link or markup is replaced by signs that look alike.
  - Runs on the controller only, which needs Apprise 2.3 or newer beside Ansible. Sends nothing in check mode.
  - An address that fails, or Apprise that is not there, is told in the result without the address, and fails the task only where O(required) says so.
options:
  urls:
    description:
      - The addresses. They are secrets, so the task wants C(no_log).
    type: list
    elements: str
    default: []
  config:
    description:
      - A file of addresses on the controller, in Apprise's own form (text or YAML).
    type: path
  title:
    description:
      - The title, plain text, of at most 150 characters.
    type: str
    required: true
  text:
    description:
      - The text, plain, of at most 3000 characters.
    type: str
    required: true
  kind:
    description:
      - How grave it is, for services that show that.
    type: str
    choices: [info, success, warning, failure]
    default: info
  required:
    description:
      - Fail unless every address got the notice, and if there is none.
    type: bool
    default: false
extends_documentation_fragment:
  - memops.linux.attributes
  - memops.linux.attributes.info_module
author:
  - The memops developers (!UNKNOWN)
seealso:
  - module: memops.linux.alert_response
"""

EXAMPLES = r"""
- name: See whether notices arrive, before the first alert
  memops.linux.notify:
    urls: "{{ respond_notify_urls }}"
    title: A trial
    text: This is what an alert's verdict will look like.
    required: true
  no_log: true
"""

RETURN = r"""
notifications:
  description: Of each address the service, whether the notice was sent, and why not.
  type: list
  elements: dict
  returned: always
  sample: [{service: JSON, sent: true, why: null}]
"""

# The work is done by the action plugin of the same name; this file documents it.
