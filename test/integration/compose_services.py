"""The services of docker-compose.yml without Docker: each with a network, mounts, processes and a user of its own.

    with Composed() as composed:
        composed.up()                                   # in the order of depends_on; waits as its conditions say
        composed.stop("custodian-1"); composed.start("custodian-1")
        done = composed.run("status")                   # a container more of that service, until it ends

What a container would see comes from `docker-compose config` and the Dockerfile's COPY lines; programs and libraries
are this machine's. The image of PostgreSQL is imitated as its documentation says (postgres_image.sh). Needs root.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import yaml

from custodians import BIN
from stack import ROOT, StackError, run

NEEDED = ("docker-compose", "unshare", "nsenter", "ip", "swtpm")
IMITATED = pathlib.Path(__file__).with_name("postgres_image.sh")
ACCOUNTS = ("root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n"
            "pgveil:x:6543:6543::/var/lib/pgveil:/bin/sh\n")
SERVER = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=pathlib.Path("/usr/bin"))
PATHS = f"{SERVER}:/usr/local/bin:/usr/bin:/bin:/usr/sbin"

# The root of a container: $1, an empty folder; then lines of mounts; then the command.
ROOT_SCRIPT = r"""
set -e
read -r _
root=$1 address=$2
mount -t tmpfs -o mode=755 none "$root"
cd "$root"
mkdir -p usr etc proc dev tmp run/postgresql var/lib
chmod 1777 tmp run/postgresql
ln -s ../run var/run
for name in bin sbin lib lib64; do [ ! -L "/$name" ] || ln -s "$(readlink "/$name")" "$name"; done
mount --rbind /usr usr
mount --bind "$3" usr/local/bin
mount --bind "$4" usr/local/lib
mount -t proc none proc
mount --rbind /dev dev
for name in ssl ld.so.cache ld.so.conf ld.so.conf.d alternatives nsswitch.conf localtime; do
    [ ! -e "/etc/$name" ] || cp -a "/etc/$name" etc/
done
cp -a "$5"/. etc/
ip link set lo up
ip address add "$address/24" dev eth0
ip link set eth0 up
ulimit -c 0
ulimit -l 65536 2>/dev/null || true  # some machines allow less
shift 5
"""


def missing():
    """Why it cannot be done here, or None."""
    absent = [name for name in NEEDED if not shutil.which(name)]
    if absent:
        return f"{', '.join(absent)} missing"
    tried = run(["unshare", "--net", "--mount", "--pid", "--fork", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"])
    return f"no namespaces of its own: {tried.stderr.strip()}" if tried.returncode != 0 else None


def configuration():
    """docker-compose.yml, all anchors resolved."""
    done = run(["docker-compose", "--profile", "status", "-f", ROOT / "docker-compose.yml", "config"])
    if done.returncode != 0:
        raise StackError(done.stderr)
    return yaml.safe_load(done.stdout)


def listed(value):
    return value.split() if isinstance(value, str) else list(value or [])


def end(child):
    """Kills the first process of a namespace, and with it all others there."""
    for pid in pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split() if child.poll() is None else []:
        os.kill(int(pid), signal.SIGKILL)
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:  # it had not made its namespace yet
        child.kill()
        child.wait()


class Composed:
    def __init__(self):
        self.config = configuration()
        self.services = self.config["services"]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pgveil-compose-"))
        self.folder.chmod(0o755)
        self.addresses = {name: f"10.99.0.{number}" for number, name in enumerate(self.services, 10)}
        self.running = {}
        self.links = 0
        for name in ("volumes", "log", "root", "etc"):
            (self.folder / name).mkdir()
        self._write_etc()
        self._copy_scripts()
        self.network = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._in_network("ip", "link", "add", "br0", "type", "bridge")
        self._in_network("ip", "address", "add", "10.99.0.1/24", "dev", "br0")
        self._in_network("ip", "link", "set", "br0", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.running):
            self.stop(name)
        self.network.kill()
        self.network.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_etc(self):
        (self.folder / "etc" / "passwd").write_text(ACCOUNTS)
        (self.folder / "etc" / "group").write_text("root:x:0:\npostgres:x:999:\npgveil:x:6543:\n")
        (self.folder / "etc" / "hosts").write_text(
            "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in self.addresses.items()))

    def _copy_scripts(self):
        """What the Dockerfile puts below /usr/local/lib."""
        for source, target in re.findall(r"^COPY (scripts/\S+) /usr/local/lib/(\S+)$", (ROOT / "Dockerfile").read_text(), re.M):
            copied = self.folder / "lib" / target
            copied.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, copied, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / source, copied)

    def _in_network(self, *command):
        for _ in range(100):  # until the namespace is there
            done = run(["nsenter", "-t", self.network.pid, "-n", *command])
            if done.returncode == 0 and pathlib.Path(f"/proc/{self.network.pid}/ns/net").readlink() != pathlib.Path("/proc/self/ns/net").readlink():
                return
            time.sleep(0.05)
        raise StackError(done.stderr)

    def _mounts(self, service):
        lines = []
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":") if isinstance(volume, str) else (volume["source"], volume["target"])
            kind = "mkdir -p"
            if source.startswith("/"):
                kind = f"mkdir -p '.{pathlib.Path(target).parent}'; touch"
            else:
                source = self.folder / "volumes" / source
                source.mkdir(exist_ok=True)
            lines.append(f"{kind} '.{target}'; mount --bind '{source}' '.{target}'")
            if mode == ["ro"]:
                lines.append(f"mount -o remount,bind,ro '.{target}'")
        return "\n".join(lines)

    @staticmethod
    def _command(service):
        if "image" in service:
            if not service["image"].startswith("postgres:"):
                raise StackError(f"nothing imitates the image {service['image']}")
            return "0:0", ["sh", "/imitated", *listed(service["command"])]
        user = "0:0" if service.get("user") == "root" else "6543:6543"
        return user, [*listed(service["entrypoint"]), *listed(service.get("command"))]

    def _spawn(self, name, output, command=None):
        """A container of the service; its output goes to the file."""
        service = self.services[name]
        user, own = self._command(service)
        self.links += 1
        root = self.folder / "root" / f"{name}-{self.links}"
        root.mkdir()
        variables = [f"{key}={value}" for key, value in service.get("environment", {}).items()]
        script = (ROOT_SCRIPT + self._mounts(service) + f"\ncp '{IMITATED}' imitated\n"
                  + "where=/; [ ! -d ./var/lib/pgveil ] || where=/var/lib/pgveil\n"
                  + f'exec chroot --userspec={user} --groups= "$root" env -i -C "$where" PATH={PATHS} HOME=/tmp LD_BIND_NOW=1 "$@"')
        child = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", script, name,
             root, self.addresses[name], BIN, self.folder / "lib", self.folder / "etc", *variables, *(command or own)],
            stdin=subprocess.PIPE, stdout=output, stderr=output)
        self._attach(child)
        return child, root

    def _attach(self, child):
        own = pathlib.Path("/proc/self/ns/net").readlink()
        while child.poll() is None and pathlib.Path(f"/proc/{child.pid}/ns/net").readlink() == own:
            time.sleep(0.01)
        link = f"v{self.links}"
        self._in_network("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(child.pid))
        self._in_network("ip", "link", "set", link, "master", "br0", "up")
        child.stdin.write(b"go\n")
        child.stdin.close()

    # ---- what docker-compose does ----

    def up(self, names=None):
        """These services and those they depend on, or all without a profile."""
        if names is None:
            names = [name for name, service in self.services.items() if "profiles" not in service]
        for name in names:
            if name not in self.running:
                needed = self.services[name].get("depends_on", {})
                self.up(list(needed))
                for other, need in needed.items():
                    self._wait(other, need["condition"])
                self.start(name)

    def start(self, name):
        with (self.folder / "log" / name).open("ab") as output:
            self.running[name] = self._spawn(name, output)

    def stop(self, name):
        end(self.running.pop(name)[0])

    def run(self, name, *command):
        """A container more, until it ends: its exit code and output."""
        path = self.folder / "log" / f"run-{name}"
        with path.open("wb") as output:
            child, _ = self._spawn(name, output, list(command))
            try:
                child.wait(timeout=120)
            finally:
                end(child)
        return child.returncode, path.read_text(errors="replace")

    def log(self, name):
        return (self.folder / "log" / name).read_text(errors="replace")

    def ended(self, name, seconds=120):
        """The exit code of a service that ends."""
        return self.running[name][0].wait(timeout=seconds)

    def healthy(self, name, seconds=60):
        """Whether its health check succeeds before the time is over, or it ends."""
        end = time.monotonic() + seconds
        child, root = self.running[name]
        while time.monotonic() < end and child.poll() is None:
            check = self.services[name]["healthcheck"]["test"][1:]
            if run(["nsenter", "-t", child.pid, "-n", "-m", "chroot", root, "env", "-i", f"PATH={PATHS}", *check]).returncode == 0:
                return True
            time.sleep(0.1)
        return False

    def _wait(self, name, condition):
        if condition == "service_completed_successfully" and self.ended(name) != 0:
            raise StackError(f"{name} failed: {self.log(name)}")
        if condition == "service_healthy" and not self.healthy(name):
            raise StackError(f"{name} did not become healthy: {self.log(name)}")
