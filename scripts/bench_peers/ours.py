"""Our programs, asked file by file (benches/rigs/peer.rs)."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARETONE = ROOT / "target/release/paretone"
PEER = ROOT / "target/release/examples/rig-peer"
MODEL = ROOT / "models/en"


class Stage:
    """A process with one stage of ours in it."""

    def __init__(self, *command):
        self.process = subprocess.Popen([PEER, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.loading = float(self.process.stdout.readline())

    def ask(self, *question):
        """Seconds of processor time, and the other fields of the answer."""
        self.process.stdin.write("\t".join(map(str, question)) + "\n")
        self.process.stdin.flush()
        seconds, *found = self.process.stdout.readline().rstrip("\n").split("\t")
        return float(seconds), found

    def close(self):
        """Ends the process; its peak of resident memory in MB."""
        peak = peak_mb(self.process.pid)
        self.process.stdin.close()
        self.process.wait()
        return peak


def peak_mb(process="self"):
    """Most resident memory of a process so far, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
