"""What browsers get of a custodian: the files of a page, and answers for pages of listed origins. The page itself: test/clients/envelope_page_test.py."""

import pathlib
import shutil
import tempfile
import unittest

from custodians import CustodianError, Custodians

ORIGIN = "https://company.example:7643"


def setUpModule():
    global CREW, PAGE
    PAGE = pathlib.Path(tempfile.mkdtemp(prefix="pgveil-page."))
    unittest.addModuleCleanup(shutil.rmtree, PAGE)
    (PAGE / "index.html").write_text("<title>Files</title>")
    (PAGE / "src").mkdir()
    (PAGE / "src" / "page.js").write_text("export {};\n")
    (PAGE / ".secret").write_text("hidden")
    outside = PAGE.parent / (PAGE.name + ".outside")
    outside.write_text("outside")
    unittest.addModuleCleanup(outside.unlink)
    (PAGE / "link.js").symlink_to(outside)
    CREW = Custodians(1, settings={"web": {"folder": str(PAGE), "origins": [ORIGIN]}})
    unittest.addModuleCleanup(CREW.stop)


def ask(method, path, client="admin", body=None, **fields):
    """(status, body, header fields) of a request as a browser sends it."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    seen = {}
    status, said = CREW.ask(0, method, path, body, client=client, headers=headers, seen=seen)
    return status, said, seen


class Files(unittest.TestCase):
    def test_the_page_is_served_without_a_certificate(self):
        for path, kind, content in (("/", "text/html; charset=utf-8", "<title>Files</title>"), ("/index.html", "text/html; charset=utf-8", "<title>"),
                                    ("/src/page.js", "text/javascript; charset=utf-8", "export {};\n")):
            status, said, fields = ask("GET", path, client=None)
            self.assertEqual((status, fields["Content-Type"]), (200, kind))
            self.assertTrue(said.startswith(content))
            self.assertEqual(fields["X-Content-Type-Options"], "nosniff")
            self.assertEqual(fields["Content-Security-Policy"], "frame-ancestors 'none'")
        self.assertEqual(ask("HEAD", "/", client=None)[:2], (200, ""))

    def test_nothing_else_is(self):
        (PAGE / "later.js").write_text("later")
        for path in ("/src", "/src/", "/.secret", "/link.js", "/later.js", "/../custodian.json", "/src/../index.html", "/%69ndex.html", "//index.html", "/index.html/"):
            self.assertEqual(ask("GET", path)[0], 404, path)
        self.assertEqual(ask("POST", "/index.html", body={})[0], 404)

    def test_a_folder_without_a_page_is_said_at_the_start(self):
        with tempfile.TemporaryDirectory() as empty, self.assertRaisesRegex(CustodianError, "cannot be served: it has no index.html"):
            Custodians(1, settings={"web": {"folder": empty}}).stop()


class Origins(unittest.TestCase):
    def test_a_page_of_a_listed_origin_may_ask_and_read(self):
        status, said, fields = ask("OPTIONS", "/v1/groups", client=None, Origin=ORIGIN, Access_Control_Request_Method="POST",
                                   Access_Control_Request_Headers="content-type")
        self.assertEqual((status, said), (204, ""))
        self.assertEqual(fields["Access-Control-Allow-Methods"], "GET, POST")
        self.assertEqual(fields["Access-Control-Allow-Headers"], "Content-Type")
        for status, _, fields in (ask("GET", "/v1/groups", Origin=ORIGIN), ask("GET", "/v1/nothing", Origin=ORIGIN),
                                  ask("GET", "/v1/groups", client=None, Origin=ORIGIN), ask("POST", "/v1/runs", body={}, Origin=ORIGIN)):
            self.assertEqual((fields["Access-Control-Allow-Origin"], fields["Access-Control-Allow-Credentials"], fields["Vary"]),
                             (ORIGIN, "true", "Origin"), status)

    def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(self):
        """A browser shows its user's certificate with whatever any page asks."""
        session = {"session": "A" * 43}
        for origin in ("https://evil.example", "null", ORIGIN + ".evil.example", ORIGIN.replace("https", "http"), "https://localhost"):
            status, said, fields = ask("POST", "/v1/members", body=session, Origin=origin)
            self.assertEqual((status, said["error"]["code"]), (403, "origin"), origin)
            self.assertNotIn("Access-Control-Allow-Origin", fields)
            self.assertEqual(ask("OPTIONS", "/v1/members", Origin=origin, Access_Control_Request_Method="POST")[0], 403)
            self.assertNotIn("Access-Control-Allow-Origin", ask("GET", "/v1/groups", Origin=origin)[2])
        for fields in ({}, {"Origin": ORIGIN}, {"Origin": CREW.url(0)}):
            self.assertEqual(ask("POST", "/v1/members", body=session, **fields)[0], 200, fields)

    def test_the_name_in_the_certificate_is_told(self):
        self.assertEqual(ask("GET", "/v1/whoami", client="grey")[:2], (200, {"requester": "grey"}))
        self.assertEqual(ask("GET", "/v1/whoami", client=None)[0], 401)


if __name__ == "__main__":
    unittest.main()
