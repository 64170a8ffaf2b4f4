"""What the package never does: open a pickle or an archive, run a text as code or in a shell, trust a checkpoint's."""

import ast
import json

import pytest

from xt.locations import PROJECT

NEVER = {
    "pickle.load": "pickle", "pickle.loads": "pickle", "pickle.Unpickler": "pickle", "torch.load": "pickle",
    "pd.read_pickle": "pickle", "pandas.read_pickle": "pickle", "joblib.load": "pickle", "marshal.loads": "pickle",
    "dill.load": "pickle", "np.load": "pickle", "numpy.load": "pickle",
    "eval": "code", "exec": "code", "compile": "code", "os.system": "shell", "os.popen": "shell",
    "subprocess.getoutput": "shell", "yaml.unsafe_load": "code", "yaml.full_load": "code",
    "shutil.unpack_archive": "archive", "tarfile.open": "archive", "zipfile.ZipFile": "archive",
}  # fmt: skip
"""Call -> what it would open."""
MODULES = {"tarfile", "zipfile", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
"""What is not imported at all."""


def list_sources():
    """(name, text) of every module and every code cell."""
    for path in sorted((PROJECT / "xt").rglob("*.py")):
        yield path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((PROJECT / "notebooks").rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield path.relative_to(PROJECT).as_posix(), "".join(cell["source"])


def find_faults(source):
    """What a source does that it should not."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            faults += [f"import {name}" for name in names if name.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        said, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
        faults += [said] if said in NEVER else []
        faults += ["shell"] if given.get("shell", "False") != "False" else []
        faults += ["allow_pickle"] if given.get("allow_pickle", "False") != "False" else []
        faults += [said] if said == "yaml.load" and "SafeLoader" not in source else []
        if said.endswith(".from_pretrained") and given.get("trust_remote_code") != "False" and None not in given:
            faults.append(said)
        faults += ["trust_remote_code"] if given.get("trust_remote_code", "False") != "False" else []
        faults += [said] if said == "dict" and given.get("use_safetensors", "True") != "True" else []
    return faults


ALLOWED = {("xt/pretrain.py", "PreTrainedTokenizerFast.from_pretrained")}
"""A tokenizer that was made here."""


def test_no_module_or_notebook_opens_pickles_archives_shells_or_runs_texts():
    sources = list(list_sources())
    assert len(sources) > 200
    found = [(name, fault) for name, source in sources for fault in find_faults(source)]
    assert [entry for entry in found if entry not in ALLOWED] == []


@pytest.mark.parametrize("planted", [
    *(f"{call}(x)" for call in NEVER), "import tarfile", "from zipfile import ZipFile", "run(x, shell=True)",
    "np.array(x, allow_pickle=True)", "yaml.load(x, yaml.Loader)", "AutoModel.from_pretrained(x)",
    "AutoModel.from_pretrained(x, trust_remote_code=True)", "f(trust_remote_code=knobs.trust)",
])  # fmt: skip
def test_each_is_found_where_it_is_planted(planted):
    assert find_faults(f"def f(x):\n    {planted}\n")
