"""Certificates for loopback, by openssl."""

from __future__ import annotations

import pathlib
import ssl
import subprocess


def make_certificates(folder: pathlib.Path) -> pathlib.Path:
    """NAME.pem and NAME.key of two authorities, ca and other; of server and client, signed by ca; of stranger, signed by other."""
    folder = folder / "tls"
    folder.mkdir(mode=0o700)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    def certificate(name: str, *how: str) -> None:
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", *how)

    for ca in ("ca", "other"):
        certificate(ca, "-x509", "-days", "2", "-out", f"{ca}.pem")
    for name, ca in (("server", "ca"), ("client", "ca"), ("stranger", "other")):
        certificate(name, "-out", f"{name}.csr")
        openssl("x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-extfile", "names", "-out", f"{name}.pem")
    return folder


def client_context(folder: pathlib.Path, name: str | None = None) -> ssl.SSLContext:
    """Of a client that trusts ca, and shows NAME's certificate."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context
