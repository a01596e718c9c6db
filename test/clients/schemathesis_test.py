"""The custodian's API from its own description: schemathesis asks a real daemon what the description allows and what it does not.

No answer is 5xx, none has a status or a body that the description does not know. SCHEMATHESIS_EXAMPLES is the number of
requests to each operation; a failure prints the seed and the request as a curl command.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from custodians import Custodians  # noqa: E402

TOOL = pathlib.Path(os.environ["PGVEIL_CLIENTS"]) / "schemathesis" / "bin" / "schemathesis"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "5")
POLICY = {"requesters": {"admin": {"purposes": ["unseal"], "per_minute": 1000000}}}
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


class Schemathesis(unittest.TestCase):
    def test_every_answer_is_described(self):
        with Custodians(2) as crew:
            crew.generate(2, POLICY)
            certificate, key = crew.authority.sign("admin")
            done = subprocess.run(
                [TOOL, "run", f"{crew.url(0)}/v1/openapi.json", "--checks", CHECKS, "--max-examples", EXAMPLES, "--mode", "all",
                 "--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--suppress-health-check", "all",
                 "--request-cert", certificate, "--request-cert-key", key, "--tls-verify", crew.authority.certificate,
                 "--no-color"],
                capture_output=True, text=True, timeout=500, check=False, cwd=crew.folder)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
            generated = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
            self.assertIsNotNone(generated, done.stdout[-2000:])
            self.assertEqual(generated[1], generated[2])
            self.assertGreater(int(generated[1]), 200)
            self.assertEqual(crew.must(0, "GET", "/v1/health")["status"], "ok")


if __name__ == "__main__":
    if not TOOL.exists():
        print(f"{TOOL} is missing: scripts/packages clients")
        sys.exit(77)
    unittest.main()
