# Copyright (c) 2026 The memops developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets stay on the host; everything else stays readable."""

import pytest

from ansible_collections.memops.linux.plugins.module_utils.collection import redact

# Pieces, so that no scanner takes this table for a leak.
AWS_KEY = "AKIA" + "ABCDEFGHIJ234567"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w"
BEGIN = "-----BEGIN RSA PRIVATE " + "KEY-----"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        # option and variable names
        ("app --db-password=hunter2 --rss=5", "app --db-password=<X> --rss=5"),
        ("app --password hunter2 -v", "app --password <X> -v"),
        ("app --password 'two words' -v", "app --password '<X>' -v"),
        ("app --password --verbose", "app --password --verbose"),
        ("app -passin pass:hunter2 x", "app -passin <X> x"),
        ("beam -setcookie ABCDEF -name x", "beam -setcookie <X> -name x"),
        ("MYSQL_ROOT_PASSWORD=x PGPASSWORD=y SSHPASS=z n=1", "MYSQL_ROOT_PASSWORD=<X> PGPASSWORD=<X> SSHPASS=<X> n=1"),
        ("DB_PASS=x MYSQL_PWD=y dbpasswd=z", "DB_PASS=<X> MYSQL_PWD=<X> dbpasswd=<X>"),
        ("GITHUB_TOKEN=x accessToken: y auth_token = z", "GITHUB_TOKEN=<X> accessToken: <X> auth_token = <X>"),
        ("API_KEY=x apikey=y secretKey=z", "API_KEY=<X> apikey=<X> secretKey=<X>"),
        ("private-key=w AccountKey=v key=u", "private-key=<X> AccountKey=<X> key=<X>"),
        ("aws_access_key_id=x aws_secret_access_key=y", "aws_access_key_id=<X> aws_secret_access_key=<X>"),
        ("client_secret=x credentials=y passphrase=z auth=w", "client_secret=<X> credentials=<X> passphrase=<X> auth=<X>"),
        ("-Djavax.net.ssl.keyStorePassword=x -Xmx1g", "-Djavax.net.ssl.keyStorePassword=<X> -Xmx1g"),
        ('-e "PASSWORD=two words" image', '-e "PASSWORD=<X>" image'),
        ("UID=sa;PWD=x", "UID=sa;PWD=<X>"),
        # structured text
        ('{"token": "a\\"b c", "rss": 1}', '{"token": "<X>", "rss": 1}'),
        ("{'password': 'x', 'n': 1}", "{'password': '<X>', 'n': 1}"),
        (r'"{\"token\": \"abc\", \"n\": 1}"', r'"{\"token\": \"<X>\", \"n\": 1}"'),
        ('password="never closed and more', 'password="<X>'),
        (":password => 'x', :n => 1", ":password => '<X>', :n => 1"),
        ("user[password]=x", "user[password]=<X>"),
        ('token="see https://u:p@h/x or so" -v', 'token="<X>" -v'),
        # headers
        ("Authorization: Bearer abcdef", "Authorization: <X>"),
        ('curl -H "Authorization: Basic dXNlcjpwYXNz" http://x', 'curl -H "Authorization: <X>" http://x'),
        ("Cookie: session=abc; other=def", "Cookie: <X>"),
        ("sent Bearer abcdefgh12 to x", "sent Bearer <X> to x"),
        ("token: Bearer abc next", "token: <X> next"),
        # URLs
        ("postgres://app:hunter2@db/x?n=1", "postgres://app:<X>@db/x?n=1"),
        ("redis://:hunter2@db:6379/0", "redis://:<X>@db:6379/0"),
        ("amqp://u:p@ss/w@rd@host/", "amqp://u:<X>@host/"),
        ("https://ghtoken@example.org/x.git", "https://<X>@example.org/x.git"),
        ("http://proxy:3128/,amqp://u:pw@h", "http://proxy:3128/,amqp://u:<X>@h"),
        ("GET /x?token=abc&page=2 200", "GET /x?token=<X>&page=2 200"),
        ("https://h/x?a=1&sig=abc%3D#top", "https://h/x?a=1&sig=<X>#top"),
        # secrets that show by their form
        ("id " + AWS_KEY + " used", "id <X> used"),
        ("got " + JWT + " ok", "got <X> ok"),
        ("ghp_" + "abcdefghijklmnopqrst01 x", "<X> x"),
        (BEGIN + " MIIE abc -----END RSA", BEGIN + "<X>-----END RSA"),
        (BEGIN + " MIIE abc", BEGIN + "<X>"),
        # short options of known programs
        ("sh -c 'mysql -uroot -phunter2 shop'", "sh -c 'mysql -uroot -p<X> shop'"),
        ("redis-cli -h db -a hunter2 ping", "redis-cli -h db -a <X> ping"),
        ("sshpass -p hunter2 ssh -p 22 h", "sshpass -p <X> ssh -p <X> h"),
        ("curl -u admin:hunter2 http://x", "curl -u admin:<X> http://x"),
    ],
)
def test_a_secret_is_masked_and_the_rest_of_the_line_kept(line, shown):
    assert redact.text(line) == shown.replace("<X>", redact.MASK)


@pytest.mark.parametrize(
    "line",
    [
        "X --keyboard=us --keep 5 --keep-alive=3 monkey=7 hotkey=F1 --keymap de --access-keyboard=1",
        "mysqld --key_buffer_size=16M --keyring-file=/x --max_tokens=4096",
        "kube-apiserver --authorization-mode=RBAC --token-auth-file=/x --author=me authority=x",
        "docker login --password-stdin --no-password --ask-pass=1 ALLOW_EMPTY_PASSWORD=yes",
        "TOKENIZERS_PARALLELISM=true public_key=abc primary_key=id passive=1 --bypass=2 compass=3",
        "PWD=/root OLDPWD=/var/tmp",
        "ssh -p 22 host; ps -p 1; mysql -p shop; cp -p a b; docker run -u 1000:1000 -p 80:80 x",
        "https://host:8080/@scope/pkg ssh://git@host/x mongodb://h1:27017,h2:27017/x",
        "sshd[1]: Accepted password for root from 10.0.0.1; token expired; no key found",
        "Memory cgroup stats for /system.slice/vault-token.service: anon 5",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
        "oom_memcg=/system.slice/secret.service,task_memcg=/system.slice/secret.service,task=token,pid=5,uid=0",
        "Killed process 374 (python3) total-vm:218556kB, anon-rss:65192kB, UID:0 pgtables:188kB oom_score_adj:0",
        "gfp_mask=0xcc0(GFP_KERNEL), order=0 AKIA ASIAN ghp_ eyJ eyJa.b",
        "",
    ],
)
def test_a_line_without_a_secret_stays_as_it_is(line):
    assert redact.text(line) == line


CONTROLS = ["\0", "\n", "\r", "\t", "\x07", "\x1b", "\x1b[31m", "\x7f", "\x9b", "\u200b", "\u202e", "\ufeff"]
SPLIT = ["PASS%sWORD=hunter2", "PASSWORD%s=hunter2", "PASSWORD=%shunter2", "--pass%sword hunter2", "x%s--password=hunter2"]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("line", SPLIT)
def test_a_control_character_in_a_name_or_value_lets_no_secret_through(line, control):
    shown = redact.text(line % control + " -v")
    assert "hunter2" not in shown
    assert shown.endswith(" -v")


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_character_between_option_and_value_separates_them(control):
    assert "hunter2" not in redact.text("app --password%shunter2" % control)


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (b"sleep\x0060\x00", "sleep 60"),
        (b"app\x00--password\x00two words\x00--rss\x005\x00", "app --password <X> --rss 5"),
        (b"app\x00--password\x00--verbose\x00", "app --password --verbose"),
        (b"app\x00--password=two words\x00-v\x00", "app --password=<X> -v"),
        (b"docker\x00run\x00-e\x00TOKEN=two words\x00img\x00", "docker run -e TOKEN=<X> img"),
        (b"curl\x00-H\x00Authorization: Bearer a b\x00-u\x00me:two words\x00http://x\x00", "curl -H Authorization: <X> -u me:<X> http://x"),
        (b"/usr/bin/mysqldump\x00-uroot\x00-phunter2\x00shop\x00", "/usr/bin/mysqldump -uroot -p<X> shop"),
        (b"sudo\x00mysql\x00-p\x00shop\x00", "sudo mysql -p shop"),
        (b"sshpass\x00-p\x00two words\x00ssh\x00h\x00", "sshpass -p <X> ssh h"),
        # a shell's script is text: what follows the value is not the value
        (b"sh\x00-c\x00PASSWORD=x exec java -Xmx2g\x00", "sh -c PASSWORD=<X> exec java -Xmx2g"),
        # a title written over the arguments is one string
        (b"chrome --token=abc --lang=en\x00\x00\x00\x00", "chrome --token=<X> --lang=en"),
        (b"token=abc worker 3\x00", "token=<X> worker 3"),
        (b"vault\x00token\x00lookup\x00", "vault token lookup"),
        (b"a\nb\x1b[2Jc\xff\x00d\x00", "a b?[2Jc\ufffd d"),
        (b"", ""),
    ],
)
def test_a_command_line_is_shown_without_its_secrets(argv, shown):
    assert redact.command_line(argv) == shown.replace("<X>", redact.MASK)


def test_a_word_cut_off_by_the_size_limit_is_not_shown_in_part():
    # Cut before the "@" the password would not be known for one.
    argv = b"app\0" + b"x" * (redact.COMMAND_LINE_BYTES - 24) + b"\0postgres://u:hunter2@host\0"
    assert "hunter" not in redact.command_line(argv)


def test_a_control_character_outside_the_secret_is_kept_in_text():
    assert redact.text("a\x1b[1m b\ttoken=x\n") == "a\x1b[1m b\ttoken=%s\n" % redact.MASK
