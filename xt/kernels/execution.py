"""`python -m xt.kernels.execution IN OUT ...`: papermill, which asks a kernel whether it is ready.

nbclient listens for a fifth of a second to a kernel that has long answered, which is a fifth of a small run's overhead.
"""

import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.client import KernelClient
from jupyter_client.manager import AsyncKernelManager
from papermill.cli import papermill
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import Type

ANSWER_SECONDS = 1.0
"""After so long without an answer a kernel is asked again."""


class PromptClient(AsyncKernelClient):
    """A client that knows a kernel for ready as soon as it has said so on both channels."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Waits until the kernel has answered and is idle again; RuntimeError where it dies, or is silent for `timeout`
        seconds."""
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while not await self.answers(self.kernel_info()):
            if not await self.is_alive():
                raise RuntimeError("the kernel died before it was ready")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the kernel was not ready within {timeout:g} seconds")

    async def answers(self, question: str) -> bool:
        """Whether the kernel answers a question, by its message id, and says on the output channel that it is done."""
        try:
            await self.get_shell_msg(timeout=ANSWER_SECONDS)
            while True:
                said = await self.get_iopub_msg(timeout=ANSWER_SECONDS)
                if said["parent_header"].get("msg_id") == question and said["content"].get("execution_state") == "idle":
                    return True
        except Empty:
            return False


class PromptManager(AsyncKernelManager):
    """Kernels whose clients are prompt."""

    client_factory = Type(PromptClient, klass=KernelClient)


class PromptEngine(NBClientEngine):
    """nbclient, with prompt kernels."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name: str, **options) -> object:
        """Executes a notebook as papermill's own engine does."""
        return super().execute_managed_notebook(nb_man, kernel_name, kernel_manager_class=PromptManager, **options)


if __name__ == "__main__":
    papermill_engines.register(None, PromptEngine)
    papermill()
