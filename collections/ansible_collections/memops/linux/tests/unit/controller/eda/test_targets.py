# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host of the inventory an alert is about."""

from __future__ import annotations

import pytest

from ansible_collections.memops.linux.plugins.plugin_utils.eda.targets import find_host, read_hosts

LISTING = {
    "_meta": {
        "hostvars": {
            "web1": {"ansible_host": "10.0.0.1"},
            "db1.example.com": {"ansible_host": "fd00::0001"},
            "app1.a.example": {},
            "app1.b.example": {},
            "10.0.0.9": {},
            "alias": {"ansible_host": "real.example.com"},
            "templated": {"ansible_host": "{{ lookup('pipe', 'touch /tmp/x') }}"},
            "behind1": {"ansible_host": "192.0.2.1", "ansible_port": 2201},
            "behind2": {"ansible_host": "192.0.2.1", "ansible_port": 2202},
        }
    },
    "all": {"children": ["ungrouped", "web", "twins"]},
    "web": {"hosts": ["web1", "db1.example.com", "app1.a.example", "app1.b.example", "10.0.0.9"]},
    "ungrouped": {"hosts": ["alias", "templated", "behind1", "behind2", "fd00::7", "odd:name", "~web.*"]},
    "twins": {"hosts": ["twins"]},
}
HOSTS = read_hosts(LISTING)


@pytest.mark.parametrize(
    ("labels", "host"),
    [
        ({"instance": "web1"}, "web1"),
        ({"instance": "web1:9100"}, "web1"),
        ({"instance": "WEB1:9100"}, "web1"),
        ({"instance": "web1.example.com:9100"}, "web1"),
        ({"instance": "10.0.0.1:9100"}, "web1"),
        ({"instance": "db1:9100"}, "db1.example.com"),
        ({"instance": "db1.example.com."}, "db1.example.com"),
        ({"instance": "[fd00::1]:9100"}, "db1.example.com"),
        ({"instance": "fd00:0:0:0:0:0:0:1"}, "db1.example.com"),
        ({"instance": "[fd00::7]:9100"}, "fd00::7"),
        ({"instance": "10.0.0.9:9100"}, "10.0.0.9"),
        ({"instance": "real.example.com:9100"}, "alias"),
        ({"instance": "real:9100"}, "alias"),
        ({"instance": "app1.b.example:9100"}, "app1.b.example"),
        ({"nodename": "web1"}, "web1"),
        ({"instance": "10.244.0.17:8080", "node": "web1"}, "web1"),
        ({"instance": "web1:9100", "node": "web1.example.com"}, "web1"),
    ],
)
def test_labels_that_mean_one_host_find_it(labels, host):
    assert find_host(labels, HOSTS) == (host, None)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({}, "none of the labels"),
        ({"instance": "  "}, "none of the labels"),
        ({"job": "web1"}, "none of the labels"),
        ({"instance": "web2:9100"}, "no host"),
        ({"instance": "10.0.0.2:9100"}, "no host"),
        ({"instance": "10:9100"}, "no host"),
        ({"instance": "db1.example.org"}, "no host"),
        ({"instance": "web"}, "no host"),
        ({"instance": "all"}, "no host"),
        ({"instance": "all:!web1"}, "no host"),
        ({"instance": "*"}, "no host"),
        ({"instance": "web1,db1"}, "no host"),
        ({"instance": "@/etc/passwd"}, "no host"),
        ({"instance": "../../web1"}, "no host"),
        ({"instance": "web1\n"}, None),
        ({"instance": "app1:9100"}, "app1.a.example, app1.b.example"),
        ({"instance": "192.0.2.1:9100"}, "behind1, behind2"),
        ({"instance": "web1:9100", "node": "db1"}, "db1.example.com, web1"),
        ({"instance": "twins"}, "group"),
        ({"instance": "odd:name"}, "plain name"),
        ({"instance": "~web.*"}, "plain name"),
    ],
)
def test_labels_that_mean_no_host_or_several_find_none_and_say_why(labels, why):
    host, said = find_host(labels, HOSTS)
    if why is None:
        assert (host, said) == ("web1", None), "white space around a name is none of it"
    else:
        assert host is None
        assert why in said


def test_only_the_labels_that_a_site_names_are_asked():
    assert find_host({"instance": "web1", "server": "alias"}, read_hosts(LISTING, ["server"])) == ("alias", None)
