# SPDX-License-Identifier: GPL-2.0-only
"""The kernels that the virtual machine can boot, and the cache that holds them."""

import contextlib
import dataclasses
import fcntl
import glob
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]

# Packages that name the current kernel of a series.
STOCK = {"6.1": "linux-headers-amd64", "6.12": "linux-headers-6.12-amd64"}

# First bytes of a compressed kernel, and the command that unpacks it.
UNPACKERS = {
    b"\xfd7zXZ": ["xz", "-dc", "--single-stream"],
    b"\x28\xb5\x2f\xfd": ["zstd", "-dc"],
    b"\x1f\x8b": ["gzip", "-dc"],
}


class KernelError(Exception):
    """A kernel cannot be had; the text says which, why and what to do."""


class Outdated(KernelError):
    """The package that goes with the installed headers is no longer on offer."""


@dataclasses.dataclass
class Kernel:
    """One kernel, as vm/run and the Makefile need it."""

    name: str
    kver: str
    bzimage: pathlib.Path
    vmlinux: pathlib.Path | None
    modules: pathlib.Path | None
    build: pathlib.Path
    append: str = ""

    @property
    def ckpt(self):
        """The ckpt module built for this kernel."""
        return TOP / "build" / f"module-{self.kver}" / "ckpt.ko"


def cache():
    """The folder of everything that is kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(os.environ.get("CKPT_CACHE") or os.path.join(base, "ckpt"))
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


@contextlib.contextmanager
def locked(name):
    """Keeps other processes from making the same part of the cache."""
    with open(cache() / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command, **options):
    """Runs a command; its error text becomes the error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise KernelError(f"{command[0]} {command[-1]}: {why}")
    return done.stdout


def dpkg_field(package, field):
    """A field of an installed package, or '' when it is not installed."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${%s}" % field, package],
                          capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def stock_version(name):
    """The full version of the installed headers of a stock series."""
    match = re.search(r"linux-headers-([0-9]\S*-amd64)", dpkg_field(STOCK[name], "Depends"))
    if not match:
        raise KernelError(f"{STOCK[name]}: not installed: run selftests/packages")
    return match[1]


def unpack_vmlinux(bzimage, vmlinux):
    """Writes the uncompressed kernel inside of a bzImage (boot protocol 2.08 and later)."""
    image = bzimage.read_bytes()
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (image[0x1F1] + 1) * 512 + offset
    # The last four bytes are the unpacked length.
    payload = image[start : start + length - 4]
    for magic, command in UNPACKERS.items():
        if payload.startswith(magic):
            with open(vmlinux, "wb") as out:
                subprocess.run(command, input=payload, stdout=out, check=True)
            return
    raise KernelError(f"{bzimage}: unknown compression {payload[:4].hex()}")


def download(package, version, folder):
    """Gets a package's file into folder, of that version or else the one on offer."""
    for wanted in (f"{package}={version}", package):
        done = subprocess.run(["apt-get", "-q", "download", wanted], cwd=folder,
                              capture_output=True, text=True, check=False)
        found = glob.glob(f"{folder}/*.deb")
        if done.returncode == 0 and found:
            return found[0]
    return None


def extract_stock(kver, target):
    """Fills target with the kernel and the modules of Debian's package."""
    package = f"linux-image-{kver}"
    version = dpkg_field(f"linux-headers-{kver}", "Version")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
        folder = pathlib.Path(temporary)
        deb = download(package, version, folder)
        if not deb:
            raise Outdated(f"{package}: apt-get has no such package any more: "
                           "run selftests/packages --upgrade")
        run("dpkg", "-x", deb, folder / "x")
        made = folder / "made"
        made.mkdir()
        shutil.move(folder / f"x/boot/vmlinuz-{kver}", made / "bzImage")
        shutil.move(folder / "x/lib/modules", made / "modules")
        # depmod -b looks for lib/modules below the folder that it is given.
        (made / "lib").symlink_to(".")
        run("depmod", "-b", made, kver)
        unpack_vmlinux(made / "bzImage", made / "vmlinux")
        made.rename(target)


def stock(name, kver, fetch):
    """The record of a stock kernel; fetched into the cache when it is not there and wanted."""
    folder = cache() / "kernel" / kver
    if fetch and not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with locked(f"kernel-{kver}"):
            if not folder.exists():
                extract_stock(kver, folder)
    return Kernel(name, kver, folder / "bzImage", folder / "vmlinux", folder / "modules",
                  pathlib.Path("/lib/modules") / kver / "build")


def debug():
    """The record of the debug kernel: a bzImage without modules, and its build tree."""
    folder = cache() / "debug"
    release = folder / "build" / "include/config/kernel.release"
    if not (folder / "bzImage").exists() or not release.exists():
        raise KernelError(f"debug kernel: {folder} has none: run make debug-kernel")
    vmlinux = folder / "vmlinux"
    return Kernel("debug", release.read_text(encoding="ascii").strip(), folder / "bzImage",
                  vmlinux if vmlinux.exists() else None, None, folder / "build",
                  "preempt=full slub_debug=U")


def find(name, fetch=True):
    """The record of the kernel called 6.1, 6.12, debug or by its full version."""
    if name == "debug":
        return debug()
    if name in STOCK:
        try:
            return stock(name, stock_version(name), fetch)
        except Outdated:
            subprocess.run([TOP / "selftests/packages", "--upgrade"], check=False)
        return stock(name, stock_version(name), fetch)
    if not dpkg_field(f"linux-headers-{name}", "Version"):
        if (cache() / "debug").exists() and name == debug().kver:
            return debug()
        raise KernelError(f"{name}: no such kernel: give 6.1, 6.12, debug or the version of "
                          "installed linux-headers")
    return stock(name, name, fetch)


def early_modules(kernel, wanted):
    """Files of the wanted modules, those they depend on first; none for what is built in."""
    if not kernel.modules:
        return []
    folder = kernel.modules / kernel.kver
    files, needs = {}, {}
    for line in (folder / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, deps = line.partition(":")
        files[module_name(path)] = folder / path
        needs[module_name(path)] = [module_name(dep) for dep in deps.split()]
    order = []

    def add(name):
        for dep in reversed(needs.get(name, [])):
            add(dep)
        if name in files and files[name] not in order:
            order.append(files[name])

    for name in wanted:
        add(name)
    return order


def module_name(path):
    """crc32c_intel for .../crc32c-intel.ko.xz."""
    return os.path.basename(path).split(".")[0].replace("-", "_")


def module_bytes(path):
    """A module's content, unpacked."""
    content = path.read_bytes()
    for magic, command in UNPACKERS.items():
        if content.startswith(magic):
            return subprocess.run(command, input=content, stdout=subprocess.PIPE,
                                  check=True).stdout
    return content
