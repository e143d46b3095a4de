# SPDX-License-Identifier: GPL-2.0-only
"""The small first file system of the virtual machine, and the steps that its init carries out."""

import hashlib
import os
import pathlib
import stat
import subprocess

import kernels

# Flags of mount(2).
RDONLY, NOSUID, NODEV, NOEXEC, BIND = 1, 2, 4, 8, 4096

# Folders of the host's root that the machine has its own of, and those it may write to.
OWN = {"dev", "proc", "run", "sys", "tmp", "share", "disk", "lost+found"}
WRITABLE = {"etc", "home", "root", "var"}

EARLY = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"]
DISK = ["virtio_blk", "crc32c_intel", "crc32c_generic", "ext4"]

# 512000 is the most that the transport takes.
PLAN9 = "trans=virtio,version=9p2000.L,msize=512000"


def build_init():
    """The init program, compiled once for each version of its source."""
    source = pathlib.Path(__file__).with_name("init.c")
    mark = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    program = kernels.cache() / f"init-{mark}"
    if not program.exists():
        with kernels.locked("init"):
            fresh = program.with_suffix(".new")
            kernels.run("gcc", "-static", "-O2", "-s", "-o", str(fresh), str(source))
            fresh.rename(program)
    return program


def cpio_entry(name, mode, content=b"", device=(0, 0)):
    """One member of a cpio archive of the 'newc' form."""
    encoded = name.encode() + b"\0"
    numbers = [0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0]
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + encoded
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def words(items):
    """NUL-terminated words, as init reads them."""
    return b"".join(os.fsencode(str(item)) + b"\0" for item in items)


def archive(files, settings, argv, steps):
    """The whole archive; files maps names to contents."""
    parts = [cpio_entry(folder, stat.S_IFDIR | 0o755) for folder in ("dev", "vm", "new")]
    parts.append(cpio_entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
    parts.append(cpio_entry("init", stat.S_IFREG | 0o755, build_init().read_bytes()))
    words_of = {"settings": settings, "argv": argv,
                "steps": [word for step in steps for word in step]}
    for name, items in words_of.items():
        parts.append(cpio_entry(f"vm/{name}", stat.S_IFREG | 0o644, words(items)))
    for name, content in files.items():
        parts.append(cpio_entry(name, stat.S_IFREG | 0o644, content))
    return b"".join(parts) + cpio_entry("TRAILER!!!", 0)


class Plan:
    """Collects the steps and the files that they need."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.steps = []
        self.files = {}

    def step(self, *step):
        self.steps.append(step)

    def insmod(self, path, parameters=""):
        """Loads a module file of the host."""
        inside = f"vm/{path.name.split('.')[0]}.ko"
        self.files[inside] = kernels.module_bytes(path)
        self.step("insmod", "/" + inside, parameters)

    def modules(self, names):
        """Loads the kernel's own modules and what they depend on."""
        for path in kernels.early_modules(self.kernel, names):
            if f"vm/{path.name.split('.')[0]}.ko" not in self.files:
                self.insmod(path)

    def mount(self, kind, source, target, flags=0, data=""):
        self.step("mount", kind, source, target, flags, data)

    def plan9(self, tag, target, flags=RDONLY, cache="loose"):
        """Mounts a folder that the host shares."""
        self.mount("9p", tag, target, flags, f"{PLAN9},cache={cache}")

    def start(self):
        """All that must be there before the host hears anything."""
        self.modules(EARLY)
        self.step("status")

    def root(self):
        """Puts the machine's root together from the host's and from own parts, below /new."""
        self.plan9("root", "/host")
        self.mount("tmpfs", "root", "/new", 0, "mode=755")
        self.mount("tmpfs", "upper", "/upper", 0, "mode=755")
        for entry in sorted(os.scandir("/"), key=lambda entry: entry.name):
            if entry.name in OWN:
                continue
            if entry.is_symlink():
                self.step("symlink", os.readlink(entry.path), "/new" + entry.path)
            elif entry.is_dir() and entry.name in WRITABLE:
                self.overlay(entry.name)
            elif entry.is_dir():
                self.mount("none", f"/host/{entry.name}", f"/new/{entry.name}", BIND)

    def overlay(self, name):
        """A folder of the host's root whose changes stay in memory."""
        upper, work = f"/upper/{name}", f"/upper/.work/{name}"
        self.step("mkdir", upper)
        self.step("mkdir", work)
        mode = stat.S_IMODE(os.stat(f"/{name}").st_mode)
        self.step("chmod", f"{mode:o}", upper)
        self.mount("overlay", name, f"/new/{name}", 0,
                   f"lowerdir=/host/{name},upperdir={upper},workdir={work}")

    def system(self):
        """The file systems that every Linux has, below /new."""
        self.mount("proc", "proc", "/new/proc", NOSUID | NODEV | NOEXEC)
        self.mount("sysfs", "sys", "/new/sys", NOSUID | NODEV | NOEXEC)
        for kind, target in (("cgroup2", "fs/cgroup"), ("debugfs", "kernel/debug"),
                             ("tracefs", "kernel/tracing")):
            self.step("mount-known", kind, kind, f"/new/sys/{target}", NOSUID | NODEV | NOEXEC, "")
        self.mount("devtmpfs", "dev", "/new/dev", NOSUID)
        self.mount("devpts", "devpts", "/new/dev/pts", NOSUID | NOEXEC,
                   "mode=620,gid=5,ptmxmode=666")
        self.mount("tmpfs", "shm", "/new/dev/shm", NOSUID | NODEV, "mode=1777")
        self.step("mkdir", "/new/dev/mqueue")
        self.step("mount-known", "mqueue", "mqueue", "/new/dev/mqueue",
                  NOSUID | NODEV | NOEXEC, "")
        self.mount("tmpfs", "tmp", "/new/tmp", 0, "mode=1777,size=100%")
        self.mount("tmpfs", "run", "/new/run", NOSUID | NODEV, "mode=755")
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                             ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
            self.step("symlink", target, f"/new/dev/{name}")

    def finish(self):
        """Enters the new root."""
        self.step("root", "/new")
        self.step("up", "lo")
        self.step("hostname", "ckpt-vm")

    def ckpt(self):
        """Loads the module under test."""
        path = self.kernel.ckpt
        if not path.exists():
            raise kernels.KernelError(f"{path}: no such module: run make modules "
                                      f"KVER={self.kernel.kver}")
        depends = subprocess.run(["modinfo", "-F", "depends", str(path)], text=True, check=True,
                                 capture_output=True).stdout
        # libcrc32c wants its algorithm, which no table of dependencies tells.
        self.modules(["crc32c_generic", *depends.strip().replace(",", " ").split()])
        self.insmod(path)
