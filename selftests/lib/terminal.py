# SPDX-License-Identifier: GPL-2.0-only
"""A terminal inside of a job: a program that holds the master, and what a test does with it.

The job is this file, started as a program: it runs a command on a pseudo-terminal, types the contents of the files
type.1, type.2... as they appear, and appends what comes to the file `screen`.
"""

import os
import pathlib
import pty
import select
import shutil
import signal
import sys

from ckpttest import Job, Restored, ckptctl, text_of, wait_until


def hold(argv):
    """The job: ends when the terminal is closed, with the status of the command."""
    pid, master = pty.fork()
    if pid == 0:
        # A shell leaves ignored what was ignored when it began.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(argv[0], argv)
    screen = os.open("screen", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    typed = 1
    while True:
        if select.select([master], [], [], 0.05)[0]:
            try:
                os.write(screen, os.read(master, 4096))
            except OSError:
                break
        name = f"type.{typed}"
        if os.path.exists(name):
            with open(name, "rb") as text:
                os.write(master, text.read())
            typed += 1
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Terminal:
    """A command on a terminal inside of a job, from outside."""

    def __init__(self, name, *argv):
        self.folder = pathlib.Path.cwd() / name
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.image = self.folder.with_suffix(".ckpt")
        env = dict(os.environ, TERM="vt100", HOME=str(self.folder), PS1="$ ", INPUTRC="/dev/null",
                   SHELL="/bin/bash")
        self.job = Job([sys.executable, __file__, *argv], self.folder, env=env)
        self.restored = None
        self.typed = 0
        self.seen = 0

    def screen(self):
        """What came since something was typed last."""
        return text_of(self.folder / "screen")[self.seen:]

    def type(self, text):
        """Type a text: it is there as a whole or not at all."""
        self.typed += 1
        self.seen = len(text_of(self.folder / "screen"))
        (self.folder / "new").write_text(text, encoding="ascii")
        (self.folder / "new").rename(self.folder / f"type.{self.typed}")

    def see(self, text):
        wait_until(lambda: text in self.screen(), f"{text!r} on the screen of {self.folder.name}")

    def save_kill_restore(self):
        """Save all processes, kill them, restore them; the tool stays their parent."""
        if self.restored is None:
            self.job.save_kill(self.image)
        else:
            ckptctl("save", "--kill", self.job.pid, self.image)
            status = self.restored.wait()
            assert status == 128 + signal.SIGKILL, status
        # What was appended after the save would come twice: nothing was.
        self.restored = Restored(self.image, pid=self.job.pid)
        self.restored.wait_running()

    def end(self):
        self.restored.wait_done()


if __name__ == "__main__":
    sys.exit(hold(sys.argv[1:]))
