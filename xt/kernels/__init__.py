"""Warm kernels: Jupyter kernels, and papermill itself, forked from a process that has the libraries in memory.

Importing torch, transformers and pandas takes longer than many a small run. `server` imports them once and forks a
process per request; `client` asks it, and starts it where there is none; `provisioner` is the door for jupyter_client,
and so for papermill, nbval (`--nbval-kernel-name xt-warm`) and JupyterLab. The kernelspec `xt-warm` comes into the
environment with the package (`install/share`): nobody sets it up by hand. Notebooks keep the kernel `python3`.

* A fork takes memory along, not threads: a child of a process that has computed with torch waits forever for OpenMP's
  lost threads, and CUDA, once asked, is of no use to a child. So the server computes nothing and asks nothing of CUDA.
  It never imports `xt`, whose code changes while JupyterLab is open.
* Libraries read variables (HF_HOME, OMP_NUM_THREADS) at import, and a fork inherits processors, niceness and limits:
  who differs in one of these has another server. So threads and bits are those of an ordinary kernel.
* A child leads its own session, with the variables, folder and output its client asked for. Its keeper, a process
  beside it, kills it and its group when the client's connection ends, however the client ended.
* The socket lies in a folder that only its user can enter, and the server asks the system whose process calls.
* Where that is not to be had (no Linux, a server that cannot start), an ordinary process is started, with a warning.
"""
