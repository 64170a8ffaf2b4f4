"""The door for jupyter_client: the provisioner that the kernelspec `xt-warm` names."""

import asyncio
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from xt.kernels.client import fork_warm


class WarmProvisioner(LocalProvisioner):
    """Kernels forked from the server of warm kernels, or ordinary ones, with a warning, where none is to be had."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict:
        """Starts the kernel and returns its connection information."""
        watched = [*cmd, "--IPKernelApp.parent_handle=1"]  # its keeper sees to it that it ends
        try:
            self.process = await asyncio.to_thread(fork_warm, watched, **self._scrub_kwargs(kwargs))
        except (OSError, TypeError, AttributeError) as error:  # the last two: more is asked than a fork can give
            self.log.warning("an ordinary kernel, not a warm one: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info
