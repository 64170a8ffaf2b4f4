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
LAST = {name.rpartition(".")[2] for name in NEVER} | {"from_pretrained"}
LOADERS = (".from_pretrained", "open_pretrained")
"""Ends of what opens a checkpoint."""


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
    tree = ast.parse(source)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    faults, names, safe = [], list_names(tree), list_refusals(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            faults += [
                f"import {name}" for name in list_imported(node) if name.split(".")[0] in MODULES or name in NEVER
            ]
        elif isinstance(node, ast.Name | ast.Attribute) and getattr(node, "attr", getattr(node, "id", "")) in LAST:
            said = spell(node, names)
            faults += [said] if said in NEVER or (said.endswith(LOADERS[0]) and id(node) not in called) else []
        elif isinstance(node, ast.Call):
            faults += list_call_faults(node, safe, source)
    return faults


def list_imported(node):
    """Dotted names of what an import brings."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]


def list_names(tree):
    """Name -> the module that an import gives it: `import torch as t` makes t.load torch.load."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return {alias.asname: alias.name for node in imports for alias in node.names if alias.asname}


def spell(node, names):
    """A name or attribute with its module's own name."""
    root, dot, rest = ast.unparse(node).partition(".")
    return f"{names.get(root, root)}{dot}{rest}"


def list_refusals(tree):
    """Names that stand for keywords of which one refuses a checkpoint's code: of a variable, or a function that gives
    them."""
    return {
        getattr(node, "name", None) or ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.Assign) and any(map(is_refusal, ast.walk(node)))
    }


def is_refusal(node):
    """Whether this is a dict that refuses a checkpoint's code."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and refuses(node)


def refuses(call):
    """Whether a call's own keywords refuse a checkpoint's code."""
    return any(word.arg == "trust_remote_code" and ast.unparse(word.value) == "False" for word in call.keywords)


def list_call_faults(node, safe, source):
    """What a call does that it should not; `safe` names keywords that refuse a checkpoint's code."""
    said, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
    passed_on = {ast.unparse(word.value).partition("(")[0] for word in node.keywords if word.arg is None}
    return [
        *(["shell"] if given.get("shell", "False") != "False" else []),
        *(["allow_pickle"] if given.get("allow_pickle", "False") != "False" else []),
        *([said] if said == "yaml.load" and "SafeLoader" not in source else []),
        *([said] if said.endswith(LOADERS) and not refuses(node) and not passed_on & safe else []),
        *(["trust_remote_code"] if given.get("trust_remote_code", "False") != "False" else []),
        *([said] if said == "dict" and given.get("use_safetensors", "True") != "True" else []),
    ]


ALLOWED = {
    ("xt/pretrain.py", "PreTrainedTokenizerFast.from_pretrained"),  # of a tokenizer that was made here
    ("xt/hub.py", "builder.from_pretrained"),  # `open_pretrained` itself, whose callers are looked through
}


def test_no_module_or_notebook_opens_pickles_archives_shells_or_runs_texts():
    sources = list(list_sources())
    assert len(sources) > 200
    found = [(name, fault) for name, source in sources for fault in find_faults(source)]
    assert [entry for entry in found if entry not in ALLOWED] == []


@pytest.mark.parametrize("planted", [
    *(f"{call}(x)" for call in NEVER), "import tarfile", "from zipfile import ZipFile", "run(x, shell=True)",
    "np.array(x, allow_pickle=True)", "yaml.load(x, yaml.Loader)", "AutoModel.from_pretrained(x)",
    "AutoModel.from_pretrained(x, trust_remote_code=True)", "f(trust_remote_code=knobs.trust)",
    "from pickle import loads", "from torch import load as get", "get = torch.load", "import torch as t; t.load(x)",
    "open_pretrained(w, a, AutoModel, s, r)", "open_pretrained(w, a, AutoModel, s, r, **x)",
    "AutoModel.from_pretrained(x, **x)", "get = AutoModel.from_pretrained",
    "hub.open_pretrained(w, a, AutoModel, s, r)",
    "how = dict(trust_remote_code=True); open_pretrained(w, a, AutoModel, s, r, **how)",
])  # fmt: skip
def test_each_is_found_where_it_is_planted(planted):
    assert find_faults(f"def f(x):\n    {planted}\n")


@pytest.mark.parametrize("written", [
    "open_pretrained(w, a, AutoModel, s, r, trust_remote_code=False)", "re.compile(x); model.eval()",
    "how = dict(trust_remote_code=False); open_pretrained(w, a, AutoModel, s, r, **how)",
    "pickle.Pickler(x).dump(x)", "import pickle", "from torch import nn",
])  # fmt: skip
def test_what_is_allowed_is_no_fault(written):
    assert find_faults(f"def g(x):\n    {written}\n") == []
