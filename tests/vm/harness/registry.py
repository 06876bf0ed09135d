"""A registry on the host, over TLS with a certificate of its own, and clients of registries."""

import json
import os
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

from .errors import Failure
from .network import HOST_ADDRESS, free_port

START_SECONDS = 10
STOP_SECONDS = 5
REQUEST_SECONDS = 10


def make_certificate(directory):
    """An authority, and a certificate of it for the host as the guest sees it."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        *(
            "req",
            "-x509",
            *new_key,
            "-days",
            "2",
            "-subj",
            "/CN=Laboratory",
            "-keyout",
            "authority.key",
            "-out",
            "authority.pem",
        ),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    openssl("req", *new_key, "-subj", "/CN=registry", "-keyout", "key.pem", "-out", "request.pem")
    extensions = (
        f"subjectAltName=IP:{HOST_ADDRESS},IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
    )
    (directory / "extensions").write_text(extensions)
    openssl(
        *("x509", "-req", "-in", "request.pem", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"),
        *("-days", "2", "-extfile", "extensions", "-out", "certificate.pem"),
    )


class Registry:
    """`registry serve` of the package's own program, run on the host."""

    def __init__(self, program, directory):
        self.program, self.directory = program, Path(directory)
        self.directory.mkdir()
        make_certificate(self.directory)
        self.port = free_port()
        self.url = f"https://{HOST_ADDRESS}:{self.port}"
        self.log = open(self.directory / "log", "w+", encoding="utf-8")
        state = ["--state-dir", str(self.directory / "state")]
        self.process = subprocess.Popen(
            [
                *(program, "registry", "serve", "--listen", f"127.0.0.1:{self.port}", "--public-url", self.url, *state),
                *("--tls-cert", self.directory / "certificate.pem", "--tls-key", self.directory / "key.pem"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env={"HOME": str(self.directory), "PATH": os.environ["PATH"]},
        )
        self._until_it_listens()
        made = subprocess.run(
            [program, "registry", "user", "add", "ann", "--json", *state], capture_output=True, text=True, check=True
        )
        user = json.loads(made.stdout)
        self.user, self.token = user["id"], user["token"]

    def _until_it_listens(self):
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                fetch(f"https://127.0.0.1:{self.port}/healthz", authority=self.directory / "authority.pem")
                return
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.log.seek(0)
                    raise Failure(f"the registry did not start ({error}): {self.log.read()}") from error
                time.sleep(0.05)

    def runtimes(self):
        """What it shows the user, asked on the host."""
        return runtimes(f"https://127.0.0.1:{self.port}", self.token, self.directory / "authority.pem")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def fetch(url, token=None, authority=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    context = ssl.create_default_context(cafile=authority) if authority else None
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=REQUEST_SECONDS, context=context
    ) as answer:
        return answer.read()


def runtimes(url, token, authority=None):
    """The runtimes of the token's user."""
    return json.loads(fetch(f"{url}/runtimes", token, authority))
