"""An upstream quick enough for load tests: nginx, which answers everything with 200. The recording upstream answers from
one Python thread a connection; under hundreds of connections its own stalls would look like the gateway's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.certificates import Pair
from harness.server import free_ports
from harness.waiting import until

CONFIGURATION = """
{user}
worker_processes 1; daemon off; error_log stderr error; pid {folder}/nginx.pid;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests {requests}; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen unix:{folder}/probe.sock; listen 127.0.0.1:{port} backlog=4096{secure}; location / {{ return 200 "ok"; }} }}
}}
"""


class QuickOrigin:
    """With `pair` it speaks TLS, and HTTP/2 with those who ask for it. A connection ends after `requests`."""

    def __init__(self, folder: Path, pair: Pair | None = None, requests: int = 100_000_000) -> None:
        folder.mkdir()
        [self.port] = free_ports(1)
        # Started by root, nginx would serve as nobody, who may not look into the folder of a test.
        user = "user root;" if os.getuid() == 0 else ""
        secure = f" ssl http2; ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key}" if pair else ""
        (folder / "nginx.conf").write_text(CONFIGURATION.format(user=user, folder=folder, port=self.port, requests=requests, secure=secure))
        self.process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
        until((folder / "probe.sock").exists, what="nginx")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
