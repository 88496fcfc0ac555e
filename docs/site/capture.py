# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""capture.py: runs what the pages say is run, on a lab of its own, and writes what was printed into the pages.

The pages share one lab, in the order of PAGES: the first builds it, the last removes it. The folders of this machine are written as a
reader has them; everything else is what the commands said.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from blocks import Block, Step, blocks, screen, written

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/lesson.md", "docs/howto/snapshots.md", "docs/howto/break.md", "docs/quickstart.md")
NAME = "pod-routing"
#: Done when the first page has built the lab: else Felix, which looks at its routes each 90 s, may put back what a page deletes before
#: the page looks.
_KEEP_STILL = """kubectl --kubeconfig "$(make -s kubeconfig)" patch felixconfigurations.crd.projectcalico.org default --type merge \\
  -p '{"spec": {"routeRefreshInterval": "1h"}}'"""
#: Seconds that one command may take.
_LIMIT = 300
_END = "-- podnet: end of a command --"


class Shell:
    """A shell at the checkout, with a lab folder of its own: variables, functions and PATH stay from one command to the next."""

    def __init__(self, lab: Path) -> None:
        self.lab = lab
        foreign = ("ANSIBLE_", "K8S_AUTH_", "PODNET_", "MAKE", "KUBECONFIG", "XDG_STATE_HOME")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        packages = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=CHECKOUT,
            env={
                **kept,
                "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
                "PODNET_LAB_NAME": NAME,
                "PODNET_LAB_DIR": str(lab),
                "ANSIBLE_HOME": str(CHECKOUT / ".ansible"),
                "ANSIBLE_COLLECTIONS_PATH": f"{CHECKOUT}/.ansible/collections:{packages}",
                "ANSIBLE_FORCE_COLOR": "0",
                "NO_COLOR": "1",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> tuple[list[str], int]:
        """The lines that a command printed, and its exit code."""
        watch = threading.Timer(_LIMIT, self._process.kill)
        watch.start()
        try:
            self._process.stdin.write(f"{{\n{command}\n}} </dev/null\nprintf '\\n%s %d\\n' '{_END}' $?\n")
            self._process.stdin.flush()
            lines: list[str] = []
            for line in self._process.stdout:
                if line.startswith(_END):
                    return self._published("\n".join(lines).rstrip()).splitlines(), int(line.split()[-1])
                lines.append(line.rstrip())
        finally:
            watch.cancel()
        raise RuntimeError(f"the shell ended, or was ended after {_LIMIT} s, in: {command}\n" + "\n".join(lines[-40:]))

    def _published(self, printed: str) -> str:
        return printed.replace(str(self.lab), f"~/.local/state/podnet/{NAME}").replace(str(CHECKOUT), "~/podnet.calico")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


class Capture:
    """Runs blocks in one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._once: dict[str, list[str]] = {}

    def block(self, block: Block) -> list[Step]:
        """The steps with what they print now. RuntimeError: a command ended otherwise than the page says."""
        return [Step(step.command, self._output(step.command, block)) for step in block.steps]

    def _output(self, command: str, block: Block) -> list[str]:
        if "once" in block.options and command in self._once:
            return self._once[command]
        printed, code = self._shell.run(command)
        if code != block.exit_code:
            raise RuntimeError(f"{command}: exit code {code}, {block.exit_code} was expected\n" + "\n".join(printed[-60:]))
        output = screen(printed) if "screen" in block.options else [] if "quiet" in block.options else printed
        self._once[command] = output
        return output


def captured(pages: Iterable[str] = PAGES) -> dict[str, list[list[Step]]]:
    """What the blocks of the pages print now, on a lab that is gone afterwards whatever happens."""
    with tempfile.TemporaryDirectory(prefix="podnet-docs-") as folder:
        shell = Shell(Path(folder) / NAME)
        try:
            capture, found = Capture(shell), {}
            for page in pages:
                found[page] = [capture.block(block) for block in blocks((CHECKOUT / page).read_text(encoding="utf-8"))]
                if page == PAGES[0]:
                    capture.block(Block(frozenset(), 0, [Step(_KEEP_STILL, [])]))
            return found
        finally:
            shell.close()
            if (shell.lab / "kubeconfig").exists():
                last = Shell(shell.lab)
                last.run("make destroy")
                last.close()


if __name__ == "__main__":
    for name, steps in captured().items():
        file = CHECKOUT / name
        file.write_text(written(file.read_text(encoding="utf-8"), steps), encoding="utf-8")
        print(f"{name}: {sum(map(len, steps))} commands")
