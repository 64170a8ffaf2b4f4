"""Two processes of one training, forked from one: `python members_of.py -m xt.member RUN_ID`, as XT_LAUNCH starts it.

They save a checkpoint after every update.
"""

import os
import sys
import tempfile

from xt import member, train


def main(run_id: str) -> int:
    """The highest exit code of the two."""
    train.CHECKPOINT_SECONDS = 0.0
    os.environ |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "XT_MEETING": f"{tempfile.mkdtemp()}/meeting"}
    pids = [fork_member(run_id, rank) for rank in (0, 1)]
    return max(abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) for pid in pids)


def fork_member(run_id: str, rank: int) -> int:
    """The process id of one."""
    pid = os.fork()
    if pid == 0:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        member.main(run_id)
        os._exit(0)
    return pid


if __name__ == "__main__":
    sys.exit(main(sys.argv[-1]))
