"""A headless Chromium, driven by chromedriver over plain HTTP (W3C WebDriver).

    with Chromium(folder) as page:
        page.open("http://127.0.0.1:8080/")
        page.type("#name", "nurse")
"""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
QUIET = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--no-first-run", "--no-proxy-server"]


class Chromium:
    """One browser with one page; ends with the block. `folder` is for its profile."""

    def __init__(self, folder):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self.session = f"http://127.0.0.1:{found.group(1)}/session"
                break
        else:
            raise AssertionError("chromedriver does not start")
        # Root's processes cannot be confined any further.
        arguments = [*QUIET, f"--user-data-dir={folder}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}}
        try:
            self.session += "/" + self.call("POST", "", wanted)["sessionId"]
        except BaseException:
            self.driver.terminate()
            raise

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.session + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the browser refused {path}: {error.read().decode()[:500]}") from error

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def element(self, selector):
        found = self.call("POST", "/element", {"using": "css selector", "value": selector})
        return f"/element/{found[ELEMENT]}"

    def type(self, selector, text):
        self.call("POST", self.element(selector) + "/value", {"text": text})

    def click(self, selector):
        self.call("POST", self.element(selector) + "/click", {})

    def text(self, selector):
        return self.call("GET", self.element(selector) + "/text")

    def run(self, script, *arguments):
        """What a script of the page's own world returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=30)
            self.driver.stdout.close()
