"""Warm kernels, as their clients meet them: jupyter_client, papermill, nbval, and the grid's own processes."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

from xt.engine import Execution, start
from xt.kernels import client, server
from xt.kernels.execution import PromptManager
from xt.locations import PROJECT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="warm kernels are for Linux")
PATIENCE = 60.0


@pytest.fixture(scope="module", autouse=True)
def private():
    """A folder for this module's servers, which are ended with it."""
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "OMP_NUM_THREADS")}
    with tempfile.TemporaryDirectory() as place:
        os.environ.update(XDG_RUNTIME_DIR=place, OMP_NUM_THREADS="2")
        yield Path(place) / f"xt-kernels-{os.getuid()}"
        for pid in servers(place):
            os.kill(pid, signal.SIGKILL)
    os.environ.update({name: value for name, value in before.items() if value is not None})
    for name in before.keys() - {name for name, value in before.items() if value is not None}:
        del os.environ[name]


def servers(place):
    """The processes that serve an address in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if server.__file__ in words and any(word.startswith(str(place)) for word in words):
            found.append(int(entry.name))
    return found


class Kernel:
    """A running kernel; `say` executes code there and returns what it prints, raising what it raises by name."""

    def __init__(self, name="xt-warm", **options):
        self.manager, self.client = start_new_kernel(kernel_name=name, startup_timeout=PATIENCE, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def say(self, code):
        said = []

        def hear(message):
            said.append(message["content"].get("text") or str(message["content"].get("data", "")))

        reply = self.client.execute_interactive(textwrap.dedent(code), timeout=PATIENCE, output_hook=hear)
        if reply["content"]["status"] == "error":
            raise RuntimeError(reply["content"]["ename"] + ": " + reply["content"]["evalue"])
        return "".join(said).strip()


@pytest.fixture(scope="module")
def kernel(private):
    with Kernel() as running:
        yield running


def wait_until(holds):
    """Whether something comes true while there is patience."""
    deadline = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def is_running(pid):
    """Whether there is a process of this id that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_libraries_are_there_at_the_start_and_the_package_is_not(kernel):
    names = "torch", "transformers.models.xlm_roberta.modeling_xlm_roberta", "pandas", "accelerate", "xt"
    assert kernel.say(f"import sys; print([name for name in {names} if name in sys.modules])") == str(list(names[:-1]))


def test_a_warm_kernel_computes_trains_reads_and_draws(kernel, tmp_path):
    done = kernel.say(
        f"""
        import accelerate, numpy, pandas, tokenizers, torch
        from matplotlib import pyplot
        left = torch.arange(1e6).reshape(1000, 1000)
        print(torch.equal(left @ torch.eye(1000), left), torch.get_num_threads())
        print(numpy.allclose(numpy.linalg.inv(numpy.eye(500) * 2) @ (numpy.eye(500) * 2), numpy.eye(500)))
        layer, accelerator = torch.nn.Linear(64, 1), accelerate.Accelerator(cpu=True, mixed_precision="bf16")
        layer, optimizer = accelerator.prepare(layer, torch.optim.AdamW(layer.parameters(), lr=0.1))
        inputs, losses = torch.randn(256, 64), []
        for _ in range(30):
            loss = ((layer(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        print(losses[-1] < losses[0] / 2)
        model = tokenizers.Tokenizer(tokenizers.models.WordLevel({{"a": 0, "?": 1}}, "?"))
        print([code.ids for code in model.encode_batch(["a", "b"] )])
        pandas.DataFrame({{"a": [1, 2]}}).to_parquet({str(tmp_path / "a.parquet")!r})
        print(pandas.read_parquet({str(tmp_path / "a.parquet")!r})["a"].sum())
        pyplot.plot([1, 2])
        pyplot.show()
        """
    )
    assert done.startswith("True 2\nTrue\nTrue\n[[0], [1]]\n3\n") and "'image/png'" in done


@pytest.mark.parametrize("computes", [True, False])
def test_a_child_of_a_process_that_has_computed_waits_forever(computes):
    """Why the server must compute nothing; the day this fails, it may."""
    program = f"""
        import os, time, torch
        matrix = torch.ones(1000, 1000)
        {computes} and matrix @ matrix
        child = os.fork()
        if child == 0:
            matrix @ matrix
            os._exit(0)
        time.sleep({3 if computes else 0})
        ended, _ = os.waitpid(child, {os.WNOHANG if computes else 0})
        ended or os.kill(child, 9)
        print("ended" if ended else "waits")
    """
    program = textwrap.dedent(program).replace(
        "torch.ones(1000, 1000)", "torch.ones(1000, 1000)" if computes else "None"
    )
    program = program.replace("    matrix @ matrix\n", "    torch.ones(1000, 1000) @ torch.ones(1000, 1000)\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.strip() == ("waits" if computes else "ended"), done.stderr


def test_the_server_computes_nothing_and_asks_nothing_of_cuda():
    program = """
        import importlib, torch
        from torch.utils._python_dispatch import TorchDispatchMode
        from xt.kernels.server import PRELOADED

        class Spy(TorchDispatchMode):
            def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
                print(operation)
                return operation(*args, **(kwargs or {}))

        for module in (torch.cuda, torch.accelerator):
            for name in {"is_available", "device_count", "current_device", "_lazy_init"} & set(vars(module)):
                setattr(module, name, lambda *_, name=name: print(name))
        with Spy():
            for name in PRELOADED.split():
                importlib.import_module(name)
            print("from here", torch.cuda.is_available())
            torch.ones(1)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.stdout.split("\n")[:3] == ["is_available", "from here None", "aten.ones.default"], done.stderr


def test_two_kernels_share_a_server_and_nothing_else(kernel, private):
    kernel.say("mine = 1")
    draw = "import os, random, numpy, torch; print(random.random(), numpy.random.random(), torch.rand(()).item())"
    with Kernel() as second:
        assert len(list(private.glob("*.log"))) == 1
        with pytest.raises(RuntimeError, match="NameError"):
            second.say("mine")
        drawn = zip(kernel.say(draw).split(), second.say(draw).split(), strict=True)
        assert all(ours != theirs for ours, theirs in drawn)


def test_a_kernel_has_the_variables_folder_and_session_its_client_asked_for(tmp_path):
    with Kernel(env=os.environ | {"XT_OF_THIS_TEST": "seen"}, cwd=str(tmp_path)) as asked:
        print_all = "import os; print(os.environ['XT_OF_THIS_TEST'], os.getcwd(), os.getsid(0) == os.getpid())"
        assert asked.say(print_all) == f"seen {tmp_path} True"
        assert asked.say("import sys; print([*sys.argv[:1], '' in sys.path])").endswith("ipykernel_launcher.py', True]")


def test_what_libraries_read_at_import_has_a_server_of_its_own(tmp_path):
    keys = {
        client.server_key(python, {"HOME": "a", **variables}, str(tmp_path))
        for python, variables in [
            ("python", {}),
            ("python", {"XT_RUNS": "elsewhere", "JPY_SESSION_NAME": "a.ipynb"}),
            ("python", {"OMP_NUM_THREADS": "1"}),
            ("python", {"HF_HOME": "elsewhere"}),
            ("python", {"PYTHONPATH": "."}),
            ("another python", {}),
        ]
    }
    assert len(keys) == 5


def test_interrupt_and_restart(kernel):
    with Kernel() as ours:
        first = ours.say("import os; kept = 1; print(os.getpid())")
        ours.client.execute("import time\nprint('started', flush=True)\nwhile True: time.sleep(0.05)")
        assert wait_until(lambda: ours.client.get_iopub_msg(timeout=PATIENCE)["msg_type"] == "stream")
        ours.manager.interrupt_kernel()
        assert ours.client.get_shell_msg(timeout=PATIENCE)["content"]["ename"] == "KeyboardInterrupt"
        assert ours.say("print(kept)") == "1"
        ours.manager.restart_kernel()
        ours.client.wait_for_ready(timeout=PATIENCE)
        assert ours.say("import os, sys; print('kept' in globals(), 'torch' in sys.modules)") == "False True"
        assert ours.say("import os; print(os.getpid())") != first and not is_running(first)


@pytest.mark.parametrize("code, ending", [("import os; os._exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)])
def test_a_kernel_that_ends_by_itself_is_noticed_with_its_exit_code(code, ending):
    with Kernel() as ours:
        process = ours.manager.provisioner.process
        ours.client.execute(code)
        assert wait_until(lambda: not ours.manager.is_alive())
        assert process.poll() == process.wait() == ending


def test_a_kernel_and_what_it_started_end_with_a_killed_client(private):
    program = """
        import sys, time
        from jupyter_client.manager import start_new_kernel
        manager, client = start_new_kernel(kernel_name="xt-warm")
        code = "import os, subprocess; print(os.getpid(), subprocess.Popen(['sleep', '600']).pid)"
        client.execute_interactive(code, output_hook=lambda said: print(said["content"].get("text", ""), flush=True))
        print("told", flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        words = []
        while "told" not in words:
            words += running.stdout.readline().split()
        kernel, sleeper = words[:2]
        assert is_running(kernel) and is_running(sleeper)
        running.kill()
    assert wait_until(lambda: not is_running(kernel) and not is_running(sleeper))


def test_only_the_user_can_reach_the_server(private, kernel):
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    private.chmod(0o755)
    try:
        with pytest.raises(PermissionError, match="not a folder of this user alone"):
            client.private_folder()
    finally:
        private.chmod(0o700)


@pytest.mark.parametrize("fault", ["the folder is open to others", "a library cannot be imported"])
def test_an_ordinary_kernel_starts_where_no_warm_one_can(fault, tmp_path, private, caplog, monkeypatch):
    (tmp_path / "accelerate.py").write_text("raise ImportError('broken')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    if fault.startswith("the folder"):
        elsewhere = tmp_path / private.name
        elsewhere.mkdir(mode=0o755)
        environment = dict(os.environ)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Kernel(env=environment) as ordinary:
        assert ordinary.say("import sys; print('torch' in sys.modules)") == "False"
    (line,) = [record.message for record in caplog.records if "ordinary kernel" in record.message]
    assert "\n" not in line


def test_a_server_that_nobody_asks_ends_and_takes_its_address_away(tmp_path):
    program = """
        import socket, sys
        from xt.kernels.server import serve
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(sys.argv[1])
            listener.listen()
            print(serve(listener, sys.argv[1], 0.1))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "address")]
    assert subprocess.check_output(command, text=True, timeout=PATIENCE) == "None\n"
    assert not (tmp_path / "address").exists()


def write_notebook(path, *sources):
    """A notebook of code cells with the kernelspec that notebooks here are committed with."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def execution(notebook, place, **parameters):
    return Execution(notebook, parameters, (), (), place / "executed" / notebook.name)


def test_a_run_scores_the_same_bits_warm_and_cold(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    target = PROJECT / "notebooks" / "experiments" / "target.ipynb"
    found = {}
    for name in ("xt-warm", "python3"):
        monkeypatch.setattr("xt.engine.kernel_name", lambda name=name: name)
        monkeypatch.setenv("XT_RUNS", str(tmp_path / name))
        started = start(execution(target, tmp_path / name))
        assert started.wait() == 0, (tmp_path / name / "executed" / "target.log").read_text()
        files = [path for ending in ("scores.csv", "*.parquet") for path in sorted((tmp_path / name).rglob(ending))]
        found[name] = [(path.relative_to(tmp_path / name), path.read_bytes()) for path in files]
    assert found["xt-warm"] == found["python3"] and len(found["python3"]) == 3


def test_the_grid_starts_warm_processes_and_ordinary_ones_where_it_must(tmp_path, private, monkeypatch):
    notebook = write_notebook(tmp_path / "one.ipynb", "import sys; print('torch' in sys.modules)")
    warm = start(execution(notebook, tmp_path))
    assert isinstance(warm, client.WarmProcess) and warm.wait() == 0
    assert nbformat.read(tmp_path / "executed" / "one.ipynb", 4).cells[-1].outputs[0].text == "True\n"
    hanging = start(execution(write_notebook(tmp_path / "two.ipynb", "import time; time.sleep(600)"), tmp_path))
    assert hanging.poll() is None
    hanging.terminate()
    assert hanging.wait() == -signal.SIGTERM
    failing = start(execution(write_notebook(tmp_path / "three.ipynb", "1 / 0"), tmp_path))
    assert failing.wait() == 1 and "ZeroDivisionError" in (tmp_path / "executed" / "three.log").read_text()
    (tmp_path / private.name).mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.warns(UserWarning, match="ordinary processes"):
        cold = start(execution(notebook, tmp_path))
    assert isinstance(cold, subprocess.Popen) and cold.wait() == 0


def test_nbval_and_jupyterlab_find_the_warm_kernel(tmp_path):
    assert KernelSpecManager().get_all_specs()["xt-warm"]["spec"]["display_name"] == "Python 3 (xt, warm)"
    cell = nbformat.v4.new_code_cell("import sys; print('torch' in sys.modules)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="True\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "held.ipynb")
    options = ["--nbval", "--nbval-kernel-name", "xt-warm", "-p", "no:cacheprovider", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", *options, "held.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_a_kernel_outlives_its_server(private):
    with Kernel() as ours:
        for pid in servers(private):
            if is_running(pid) and Path(f"/proc/{pid}/status").read_text().count("PPid:\t1\n"):
                os.kill(pid, signal.SIGKILL)
        assert ours.say("import torch; print(int((torch.eye(500) @ torch.eye(500)).sum()))") == "500"
        pid = ours.manager.provisioner.pid
    assert wait_until(lambda: not is_running(pid))
    shutil.rmtree(private)


@pytest.mark.parametrize(
    "program, said, code",
    [
        ("print('said', end='')", "said\nat exit\n", 0),
        ("raise SystemExit(7)", "\nat exit\n", 7),
        ("raise SystemExit('refused')", "\nat exit\nrefused", 1),
        ("raise KeyError('lost')", "\nat exit\nKeyError: 'lost'", 1),
    ],
)
def test_a_warm_process_ends_with_its_exit_code_its_output_and_its_last_wishes(program, said, code, tmp_path):
    start = "import atexit; atexit.register(lambda: print('\\nat exit'))\n"
    (tmp_path / "program.py").write_text(f"{start}{program}\n")
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        process = client.fork_warm([sys.executable, "-m", "program"], environment, stdout=out, stderr=err)
        assert process.wait() == code
    written, errors = (tmp_path / "out").read_text(), (tmp_path / "err").read_text()
    assert written == said[: len(written)] and errors.strip().endswith(said[len(written) :].strip())


def test_a_prompt_client_leaves_nothing_unread_of_a_ready_kernel_and_knows_a_dead_one(private):
    async def try_out():
        manager = PromptManager(kernel_name="xt-warm")
        await manager.start_kernel()
        talk = manager.client()
        talk.start_channels()
        await talk.wait_for_ready(timeout=PATIENCE)
        with pytest.raises(Empty):
            await talk.get_iopub_msg(timeout=0.5)
        await manager.shutdown_kernel(now=True)
        with pytest.raises(RuntimeError, match="died before it was ready"):
            await talk.wait_for_ready(timeout=PATIENCE)
        talk.stop_channels()

    asyncio.run(try_out())
