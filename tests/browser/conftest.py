"""A real browser without a network, and a run with more terms than there are colours, for it to look at."""

import base64
import contextlib
import functools
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from PIL import Image

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root, as in a container, has none
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-unsafe-swiftshader",  # TensorBoard draws by WebGL, which has no other device here
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_REQUESTS = ("Network.requestWillBeSent", "Network.webSocketCreated")
_BOX = ("x", "y", "width", "height")
_OUTSIDE = ("http:", "https:", "ws:", "wss:")


def pytest_addoption(parser):
    """Tests that draw the pictures of the docs run where they are asked for."""
    parser.addoption("--pictures", type=pathlib.Path, help="draws the pictures of the docs into this folder")


def pytest_ignore_collect(collection_path, config):
    """Leaves them out otherwise, where a run of the demo may not be there."""
    return True if collection_path.name == "test_pictures.py" and not config.getoption("pictures", None) else None


class Browser:
    """Chromium, as a test uses it."""

    def __init__(self, driver):
        self.driver = driver
        self.run = driver.execute_script

    def open(self, url, *, width=1280, height=900):
        """Opens a page in a window of some size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        self.driver.get(url)

    def command(self, name, **arguments):
        """Sends Chromium a command of its protocol for developers."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def wait(self, condition, seconds=30):
        """The first value of an expression in JavaScript, or of a function of nothing, that is true."""
        ask = condition if callable(condition) else functools.partial(self.run, f"return {condition}")
        end = time.monotonic() + seconds
        while not (value := ask()):
            assert time.monotonic() < end, f"{condition} does not become true in {seconds} s"
            time.sleep(0.05)
        return value

    def picture(self, box=None, scale=1):
        """What is seen of the page, or in a box `(left, top, width, height)` of it: uint8 `[height, width, 3]`."""
        return np.asarray(Image.open(io.BytesIO(self.png(box, scale))).convert("RGB"))

    def png(self, box=None, scale=1):
        """The bytes of that picture as a PNG."""
        part = {} if box is None else {"clip": {"scale": scale, **dict(zip(_BOX, box, strict=True))}}
        return base64.b64decode(self.command("Page.captureScreenshot", **part)["data"])

    def move(self, x, y):
        """Moves the mouse to a place in the window."""
        self._act(lambda pointer: pointer.move_to_location(round(x), round(y)))

    def click(self, x, y):
        """Clicks at a place in the window."""
        self.drag((x, y))

    def drag(self, *places):
        """Presses the mouse at the first of some places in the window, moves it along them and releases it."""
        self.move(*places[0])
        self._act(lambda pointer: pointer.pointer_down())
        for place in places[1:]:
            self.move(*place)
        self._act(lambda pointer: pointer.pointer_up())

    def _act(self, what):
        from selenium.webdriver.common.action_chains import ActionChains

        actions = ActionChains(self.driver, duration=50)
        what(actions.w3c_actions.pointer_action)
        actions.perform()

    def complaints(self, levels=("WARNING", "SEVERE")):
        """What pages have written to the console since the last call, but for what is merely told."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] in levels]

    def requests(self):
        """The addresses outside of the disk that pages have asked for since the last call."""
        events = [json.loads(line["message"])["message"] for line in self.driver.get_log("performance")]
        asked = [
            event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
        ]
        asked += [event["params"]["url"] for event in events if event["method"] == "Network.webSocketCreated"]
        return [url for url in asked if url.startswith(_OUTSIDE)]


@pytest.fixture(scope="session")
def chromium():
    """A browser for all tests; they are skipped where there is none."""
    program, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("no chromium or no chromedriver on PATH: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is in the extra `dev`")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        controlled = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield Browser(controlled)
        finally:
            controlled.quit()


@pytest.fixture
def browser(chromium):
    """The browser for one test, in which no page may complain, nor ask for anything from outside."""
    chromium.open("about:blank")
    chromium.complaints(), chromium.requests()
    yield chromium
    chromium.command("Emulation.setEmulatedMedia", media="", features=[])
    assert chromium.complaints() == []
    assert chromium.requests() == []


@pytest.fixture(scope="session")
def shown_run(ready_python, tmp_path_factory):
    """The folder of a run of seven terms, with evaluations, gradients, a metric, and a name that is no markup."""
    workdir = tmp_path_factory.mktemp("shown") / 'a <b>run</b> "it\'s" & more'
    trained = ready_python.run(
        HERE, ROOT / "scripts" / "train.py", "--gin_file=seven_terms.gin", f"--workdir={workdir}"
    )
    assert trained.returncode == 0, trained.stderr
    return workdir


@pytest.fixture(scope="session")
def tensorboard():
    """Starts TensorBoard on a folder, for as long as a context is open, which has its address."""

    @contextlib.contextmanager
    def serve(folder):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--host", "127.0.0.1", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as board:
            try:
                yield next(found[0] for line in board.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
            finally:
                board.terminate()

    return serve
