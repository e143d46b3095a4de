# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's command line, and the choice between KVM and TCG."""

import os
import pathlib
import subprocess
import tempfile

import initramfs
import kernels

QEMU = "qemu-system-x86_64"
PROBE_SECONDS = 8

# With ERMS the kernel copies by "rep movsb", which TCG does byte by byte.
ACCELERATORS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm"],
    # All processors in one thread. Where locks are held for long, two threads wait for each other and
    # for QEMU's own lock most of the time: the debug kernel runs several times faster like this.
    "tcg-single": ["-accel", "tcg,thread=single", "-cpu", "max,-erms,-fsrm"],
    "icount": ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
               "-cpu", "max,-erms,-fsrm"],
}

APPEND = ("console=ttyS0 panic=-1 oops=panic tsc=reliable no_timer_check reboot=t "
          "rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 ignore_loglevel")


def machine(kernel, accelerator, initrd, options):
    """The command line of a machine without devices."""
    image = kernel.bzimage if options.kaslr or not kernel.vmlinux else kernel.vmlinux
    if accelerator == "tcg" and kernel.name == "debug":
        accelerator = "tcg-single"
    append = [APPEND, kernel.append, "" if options.kaslr else "nokaslr",
              f"kmemleak={'on' if options.kmemleak else 'off'}"]
    return [QEMU, *ACCELERATORS[accelerator], "-M", "q35", "-m", str(options.mem),
            "-smp", str(1 if accelerator == "icount" else options.cpus),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", str(image), "-initrd", str(initrd),
            "-append", " ".join(part for part in append if part)]


def serial(log):
    """The kernel log goes to a file."""
    return ["-chardev", f"file,id=log,path={comma(log)},append=on", "-serial", "chardev:log"]


def comma(path):
    """QEMU wants each comma of a value twice."""
    return str(path).replace(",", ",,")


def share(tag, path, readonly=True):
    """A folder that the machine can mount by its tag."""
    flag = ",readonly=on" if readonly else ""
    return ["-fsdev", f"local,id={tag},path={comma(path)},security_model=none,"
                      f"multidevs=remap{flag}",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def port(number, fd):
    """The virtio port of that number, joined to a socket that QEMU inherits."""
    return ["-chardev", f"socket,id=port{number},fd={fd}",
            "-device", f"virtserialport,chardev=port{number},nr={number}"]


def console():
    """The terminal of --tty."""
    return ["-chardev", "stdio,id=tty,signal=off", "-device", "virtconsole,chardev=tty,nr=0"]


def disk(path):
    """A file that is the machine's disk."""
    return ["-drive", f"file={comma(path)},if=none,id=disk,format=raw,cache=writeback",
            "-device", "virtio-blk-pci,drive=disk"]


def accelerator(kernel, options):
    """kvm where it works, else tcg; icount when asked for."""
    if options.icount:
        return "icount"
    chosen = os.environ.get("CKPT_ACCEL")
    if chosen in ("kvm", "tcg"):
        return chosen
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    answer = kernels.cache() / "kvm-probe"
    with kernels.locked("kvm-probe"):
        if answer.exists():
            known, _, found = answer.read_text(encoding="ascii").partition(" ")
            if known == boot:
                return found
        found = "kvm" if kvm_works(kernel, options) else "tcg"
        answer.write_text(f"{boot} {found}", encoding="ascii")
    return found


def kvm_works(kernel, options):
    """Boots under KVM, far enough to run the instruction that some hosts cannot emulate."""
    with tempfile.TemporaryDirectory(prefix="ckpt-vm-") as folder:
        plan = initramfs.Plan(kernel)
        plan.step("probe")
        # Ends the machine; init reports on the console that it knows no such step.
        plan.step("probe-done")
        initrd = pathlib.Path(folder) / "initrd"
        initrd.write_bytes(initramfs.archive({}, [], [], plan.steps))
        log = pathlib.Path(folder) / "log"
        log.touch()
        try:
            subprocess.run(machine(kernel, "kvm", initrd, options) + serial(log), check=False,
                           capture_output=True, timeout=PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return b"probe-done" in log.read_bytes()
