"""How a model is made to run: one row per backend, each of which makes a function of a batch."""

import importlib.util
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

Batch = Mapping[str, torch.Tensor]
Run = Callable[[Batch], object]


@dataclass(frozen=True)
class Backend:
    """One way to run a model."""

    build: Callable[
        [torch.nn.Module, Batch], Run
    ]  # (model in float32, a batch like those to come) -> what runs a batch
    libraries: tuple[str, ...] = ()  # needed beside torch
    processor_only: bool = False
    as_loaded: bool = False  # whether it runs the model in float32 itself


def build_eager(model: torch.nn.Module, batch: Batch) -> Run:
    """The model as it is, in float32."""
    return lambda inputs: model(**inputs)


def build_bf16(model: torch.nn.Module, batch: Batch) -> Run:
    """The model with its weights in bfloat16."""
    return build_eager(model.to(torch.bfloat16), batch)


def build_compiled(model: torch.nn.Module, batch: Batch) -> Run:
    """`torch.compile` for any batch size and length."""
    return build_eager(torch.compile(model, dynamic=True), batch)


def build_int8(model: torch.nn.Module, batch: Batch) -> Run:
    """Linear layers with int8 weights, their inputs quantized as they come; the embeddings stay float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return build_eager(torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, torch.qint8), batch)


def build_onnx(model: torch.nn.Module, batch: Batch) -> Run:
    """The exported graph in ONNX Runtime, with as many threads as torch has."""
    import onnxruntime

    rows, tokens = torch.export.Dim("rows"), torch.export.Dim("tokens")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.onnx"
        shapes = {name: {0: rows, values.ndim - 1: tokens} for name, values in batch.items()}
        torch.onnx.export(model, (), place, kwargs=dict(batch), dynamic_shapes=shapes, dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(place, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {name: values.numpy() for name, values in inputs.items()})


BACKENDS: Mapping[str, Backend] = {
    "eager": Backend(build_eager, as_loaded=True),
    "eager_bf16": Backend(build_bf16),
    "compiled": Backend(build_compiled),
    "int8": Backend(build_int8, processor_only=True),
    "onnx": Backend(build_onnx, ("onnxruntime", "onnxscript"), processor_only=True),
}


def lacking(backend: str, device: str) -> str:
    """Why a backend cannot run on a device (`cpu`, `cuda`) of this machine; empty where it can."""
    row = BACKENDS[backend]
    missing = [name for name in row.libraries if importlib.util.find_spec(name) is None]
    if row.processor_only and device != "cpu":
        return f"backend {backend} runs on processors only"
    return f"backend {backend} needs {', '.join(missing)}: pip install {' '.join(missing)}" if missing else ""
