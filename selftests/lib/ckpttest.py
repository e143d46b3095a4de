# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of ckpt share: jobs that are saved, killed, restored and compared."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(os.environ.get("CKPT_TOP", pathlib.Path(__file__).resolve().parents[2]))
PROGRAMS = pathlib.Path(os.environ.get("CKPT_PROGRAMS", TOP / "build/programs"))

DONE, REFUSED, USAGE, LACKS = 0, 1, 2, 3
SKIPPED = 77

# Generous: many virtual machines may share a busy core. Nothing waits longer than it has to.
PATIENCE = 100

# What a test started and must not leave behind.
_started = []


class Failure(Exception):
    """What a test found to be wrong."""


class Ended(Failure):
    """A job that ended before it could be saved."""


def say(*words):
    print(*words, flush=True)


def fail(text):
    raise Failure(text)


def expect(condition, text):
    if not condition:
        fail(text)


def skip(reason):
    say(reason)
    sys.exit(SKIPPED)


def run_test(test):
    """Run a test's function; exit with its verdict."""
    try:
        test()
    except Failure as failure:
        say(f"FAILED: {failure}")
        sys.exit(1)
    finally:
        for process in _started:
            if process.poll() is None:
                process.kill()
                process.wait()


def wait_until(condition, what, seconds=PATIENCE):
    """Poll for a condition, which is returned."""
    end = time.monotonic() + seconds
    pause = 0.01
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            fail(f"{what}: did not happen within {seconds} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def text_of(path):
    """The text of a file, empty when there is none."""
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return ""


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def program(name):
    """A helper program's path."""
    path = PROGRAMS / name
    expect(path.exists(), f"{path}: is not built")
    return str(path)


def ckptctl(*words, expected=DONE, timeout=PATIENCE, **more):
    """Run ckptctl to its end; its exit status must be the expected one unless that is None."""
    command = ["ckptctl", *map(str, words)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=timeout, check=False, **more)
    if expected is not None and done.returncode != expected:
        fail(f"{' '.join(command)}: exit status {done.returncode}, not {expected}: "
             f"{done.stderr.strip() or 'said nothing'}")
    return done


def process_state(pid):
    """The state letter of a process, or None when there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(")")[2].split()[0]


def is_gone(pid):
    """No process runs under this number; a zombie is gone too."""
    return process_state(pid) in (None, "Z", "X")


def use_count():
    """How many hold the module; -1 when it is not loaded."""
    for line in pathlib.Path("/proc/modules").read_text().splitlines():
        if line.startswith("ckpt "):
            return int(line.split()[2])
    return -1


def wait_unused():
    wait_until(lambda: use_count() == 0, "module: the last user's end", 60)


class Job:
    """A program that runs in a session and a folder of its own, its output in the file `out` there."""

    def __init__(self, argv, folder, stdin=os.devnull, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / stdin, "rb") as source, open(self.folder / "out", "wb") as out:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen([str(word) for word in argv], cwd=folder, stdin=source,
                                            stdout=out, stderr=out, start_new_session=True,
                                            env=env)
        self.pid = self.process.pid
        _started.append(self.process)

    def out(self):
        return text_of(self.folder / "out")

    def wait(self, timeout=PATIENCE):
        """Its exit status, as subprocess has it."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            fail(f"process {self.pid}: still runs after {timeout} s: state "
                 f"{process_state(self.pid)}: {self.out()[-300:]!r}")

    def wait_until(self, condition, what, seconds=PATIENCE):
        """Wait for a condition; a job that ends first fails it."""
        def check():
            if condition():
                return True
            if self.process.poll() is not None and not condition():
                raise Ended(f"{what}: process {self.pid} ended first with "
                            f"{self.process.returncode}: {self.out()[-600:]!r}")
            return False
        wait_until(check, what, seconds)

    def wait_out(self, word, seconds=PATIENCE):
        """Wait for a line of its output."""
        self.wait_until(lambda: word in self.out().split("\n"), f"{word!r} from the job", seconds)

    def end(self):
        """Kill it and reap it."""
        if self.process.poll() is None:
            self.process.kill()
        return self.wait()

    def save(self, image, *options):
        """ckptctl save; Ended when the job was faster."""
        done = ckptctl("save", *options, self.pid, image, expected=None)
        if done.returncode == DONE:
            return done
        if is_gone(self.pid):
            raise Ended(f"process {self.pid}: ended before it was saved")
        return fail(f"save of process {self.pid}: exit status {done.returncode}: "
                    f"{done.stderr.strip()}")

    def save_kill(self, image, *options):
        """Save it and see it die of SIGKILL."""
        done = self.save(image, "--kill", *options)
        status = self.wait()
        expect(status == -signal.SIGKILL, f"killed job: ended with {status}, not by SIGKILL")
        expect(process_state(self.pid) is None, f"killed job: process {self.pid} is still there")
        return done


class Restored:
    """A job restored in front: the tool is its parent and ends with its status."""

    def __init__(self, image, *options, pid=None):
        self.image = pathlib.Path(image)
        self.log = pathlib.Path(f"{image}.restore")
        with open(self.log, "wb") as log:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(["ckptctl", "restore", *options, str(image)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = pid
        _started.append(self.process)

    def wait_running(self):
        """Wait until the restored process is there."""
        def check():
            expect(self.process.poll() is None or not is_gone(self.pid),
                   f"restore: ended with {self.process.returncode}: {text_of(self.log).strip()}")
            return not is_gone(self.pid)
        wait_until(check, f"process {self.pid}: its return")

    def wait(self, timeout=PATIENCE):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            fail(f"restored job {self.pid}: still runs after {timeout} s: state "
                 f"{process_state(self.pid) if self.pid else '?'}")

    def wait_done(self, timeout=PATIENCE):
        """It must end with status 0."""
        status = self.wait(timeout)
        expect(status == 0, f"restored job: ended with {status}: {text_of(self.log).strip()}")


def restore_to_end(image, pid=None):
    Restored(image, pid=pid).wait_done()


class Files:
    """The contents of a folder's files at one moment, to be put back later."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.files = {path: (path.read_bytes(), path.stat().st_mode)
                      for path in self._paths()}

    def _paths(self):
        return [path for path in sorted(self.folder.rglob("*"))
                if path.is_file() and not path.is_symlink()]

    def put_back(self):
        """Make the files as they were; those that are still there keep their inodes."""
        for path in self._paths():
            if path not in self.files:
                path.unlink()
        for path, (data, mode) in self.files.items():
            if path.exists() and path.read_bytes() == data:
                continue
            with open(path, "r+b" if path.exists() else "wb") as file:
                file.truncate(0)
                file.write(data)
            path.chmod(mode & 0o7777)

    def sizes(self):
        return ", ".join(f"{path.name} {len(data)}" for path, (data, _) in self.files.items())


def contents(folder):
    """What a finished job left: its files by name."""
    return {path.name: data for path, (data, _) in Files(folder).files.items()}


def explain(wanted, got):
    """Say where two results differ, in a line."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in sorted(wanted.keys() | got.keys()):
            if wanted.get(name) != got.get(name):
                return f"{name}: {explain(wanted.get(name), got.get(name))}"
    if isinstance(wanted, (str, bytes, list)) and isinstance(got, type(wanted)):
        for place, (one, other) in enumerate(zip(wanted, got)):
            if one != other:
                around = slice(max(0, place - 30), place + 30)
                return (f"differ at {place} of {len(wanted)} and {len(got)}: "
                        f"{wanted[around]!r}, then {got[around]!r}")
        return f"lengths {len(wanted)} and {len(got)}"
    return f"{wanted!r:.200}, then {got!r:.200}"


class Program:
    """A program to be saved in its middle, in three ways, each compared to an uninterrupted run.

    middle(folder) says when it is in its middle; result(folder) is what to compare, all its files by
    default; files are what it finds in its folder.
    """

    TRIES = 4

    def __init__(self, argv, middle, result=contents, files=None, stdin=os.devnull, env=None):
        self.argv = argv
        self.middle = middle
        self.result = result
        self.files = files or {}
        self.stdin = stdin
        self.env = env
        self.wanted = None

    def start(self, way):
        folder = pathlib.Path.cwd() / way
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        return Job(self.argv, folder, self.stdin, self.env)

    def reference(self):
        """Run it uninterrupted: this is what all others are compared to."""
        begin = time.monotonic()
        job = self.start("uninterrupted")
        status = job.wait()
        expect(status == 0, f"uninterrupted run: ended with {status}: {job.out()[-600:]}")
        self.wanted = self.result(job.folder)
        say(f"uninterrupted: {time.monotonic() - begin:.1f} s, {Files(job.folder).sizes()}")

    def save(self, way, *options):
        """Start it and save it in its middle; again when it was faster."""
        for _ in range(self.TRIES):
            job = self.start(way)
            image = pathlib.Path.cwd() / f"{way}.ckpt"
            try:
                job.wait_until(lambda folder=job.folder: self.middle(folder), "the middle of the job")
                if "--kill" in options:
                    job.save_kill(image)
                else:
                    job.save(image)
                return job, image
            except Ended as ended:
                say(f"{way}: {ended}; once more")
                job.end()
        return fail(f"{way}: the job ended before it could be saved, {self.TRIES} times")

    def compare(self, way, folder):
        got = self.result(folder)
        expect(got == self.wanted, f"{way}: not as an uninterrupted run: {explain(self.wanted, got)}")
        say(f"{way}: as an uninterrupted run")

    def run(self):
        """All three ways."""
        self.reference()

        job, image = self.save("runs-on")
        status = job.wait()
        expect(status == 0, f"saved and run on: ended with {status}: {job.out()[-600:]}")
        self.compare("saved and run on", job.folder)
        image.unlink()

        job, image = self.save("killed", "--kill")
        files = Files(job.folder)
        say(f"saved: image of {size_of(image) >> 10} KiB when the files had: {files.sizes()}")
        restore_to_end(image, job.pid)
        self.compare("saved, killed, restored", job.folder)
        files.put_back()
        restore_to_end(image, job.pid)
        self.compare("restored once more", job.folder)
        image.unlink()


def state_program(name, *words, env=None, folder="state", runs_on=False):
    """Run a program that says `ready`, waits for the file `go` and then checks itself.

    First uninterrupted, which shows that its checks hold of themselves; with runs_on also saved while it
    runs on; then saved, killed and restored.
    """
    argv = [program(name), *words]
    here = pathlib.Path.cwd() / folder
    for way in ("uninterrupted", "saved") if runs_on else ("uninterrupted",):
        job = Job(argv, here / way, env=env)
        job.wait_out("ready")
        if way == "saved":
            job.save(here / "saved.ckpt")
        (job.folder / "go").touch()
        status = job.wait()
        expect(status == 0, f"{name} {way}: ended with {status}:\n{job.out()}")

    job = Job(argv, here / "restored", env=env)
    job.wait_out("ready")
    image = here / f"{name}.ckpt"
    job.save_kill(image)
    restored = Restored(image, pid=job.pid)
    (job.folder / "go").touch()
    status = restored.wait()
    text = job.out()
    expect(status == 0, f"{name} restored: ended with {status}: {text_of(restored.log).strip()}\n{text}")
    expect("bad" not in [line.split(" ")[0] for line in text.splitlines()], f"{name}:\n{text}")
    say(f"{name}: {sum(line.startswith('ok ') for line in text.splitlines())} checks hold after the "
        "restore")
    say(text.strip())
    return job


def timed_program(name, *words, down=1.0, options=()):
    """Like state_program, for a program that watches clocks: also saved and run on.

    Before the restore it is away for a while, which the file `down` tells it in seconds.
    """
    argv = [program(name), *words]
    for way in "uninterrupted", "runs-on", "restored":
        here = pathlib.Path.cwd() / "-".join((name, *words, way))
        job = Job(argv, here)
        job.wait_out("ready")
        image = pathlib.Path(f"{here}.ckpt")
        if way == "restored":
            job.save_kill(image)
            begin = time.monotonic()
            time.sleep(down)
            (here / "down").write_text(f"{time.monotonic() - begin:.6f}")
            job = Restored(image, *options, pid=job.pid)
        elif way == "runs-on":
            job.save(image)
        (here / "go").touch()
        status, text = job.wait(), text_of(here / "out")
        said = text_of(job.log).strip() if way == "restored" else ""
        expect(status == 0, f"{name} {way}: ended with {status}: {said}\n{text}")
        expect("bad" not in [line.split(" ")[0] for line in text.splitlines()], f"{name} {way}:\n{text}")
        image.unlink(missing_ok=True)
    say(f"{name}: {sum(line.startswith('ok ') for line in text.splitlines())} checks hold, saved and "
        "run on, and restored")
    say(text.strip())
