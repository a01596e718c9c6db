"""The page for protected files (clients/envelope-page) in a headless Chromium: three real custodians, of which the first serves it.

Everything in the browser is in envelope_page/browser.test.mjs, which this starts once the custodians have a group. Ends with 77, which CTest
reports as skipped, where node or chromium is missing.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from custodians import Custodians

SKIPPED = 77
ROOT = HERE.parent.parent
PACKAGES = os.environ.get("PGVEIL_PAGE_PACKAGES", ROOT / "build" / "clients" / "envelope_page")
POLICY = {"requesters": {name: {"purposes": ["open", "yearly audit"], "per_minute": 600} for name in ("grey", "admin")},
          "administrators": ["admin"], "evidence": "none", "header": "required"}


def serve_page(crew):
    """Made for these custodians, and served by the first; what they are configured with counts from their next start."""
    urls = [crew.url(at) for at in range(3)]
    folder = crew.folder / "page"
    others = [part for url in urls[1:] for part in ("--custodian", url)]
    subprocess.run(["node", ROOT / "clients" / "envelope-page" / "build.js", "--out", folder, "--packages", PACKAGES, *others],
                   check=True, timeout=60)
    for at, web in enumerate(({"folder": str(folder)}, {"origins": [urls[0]]}, {"origins": [urls[0]]})):
        crew.kill(at)
        settings = json.loads(crew.settings_file(at).read_text())
        crew.settings_file(at).write_text(json.dumps({**settings, "web": web}))
        crew.start(at)
    return urls


def main():
    with Custodians(3) as crew:
        group = crew.generate(2, POLICY)
        urls = serve_page(crew)
        told = crew.must(0, "GET", f"/v1/groups/{group}")
        point = subprocess.run(["openssl", "ec", "-pubin", "-inform", "DER", "-pubout", "-outform", "DER", "-conv_form", "uncompressed"],
                               input=bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
                               + base64.urlsafe_b64decode(told["public_key"] + "=="), capture_output=True, check=True).stdout[-65:]
        key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()
        (crew.folder / "group.pub").write_text(f"pgveil envelope key 1\nkey: {key}\n")
        clients = {name: [str(path) for path in crew.authority.sign(name)] for name in ("grey", "admin")}
        test = {"urls": urls, "names": crew.names, "pids": [child.pid for child in crew.children], "group": group,
                "fingerprint": told["fingerprint"], "folder": str(crew.folder), "clients": clients}
        done = subprocess.run(["node", "--test", "--test-reporter=spec", HERE / "envelope_page" / "browser.test.mjs"], check=False, timeout=300,
                              env={**os.environ, "PGVEIL_PAGE_TEST": json.dumps(test), "PGVEIL_PAGE_PACKAGES": str(PACKAGES),
                                   "NODE_EXTRA_CA_CERTS": str(crew.authority.certificate)})
        for at in range(3):
            for line in crew.output(at).splitlines():
                if done.returncode != 0:
                    print(f"{crew.names[at]}: {line}")
        return done.returncode


if __name__ == "__main__":
    missing = [program for program in ("node", "chromium") if not shutil.which(program)]
    if missing:
        print(f"skipped: {', '.join(missing)} missing; scripts/packages clients installs Chromium")
        sys.exit(SKIPPED)
    sys.exit(main())
