"""Training, scoring and preparing images with PyTorch, ONNX Runtime, OpenVINO, Pillow and OpenCV: one line of JSON each.

Usage: network.py IMAGES [PNG...]. Networks have random weights: speed does not depend on them. The 32 epochs of experiment 2A
are one measured epoch of each stage, written as one usually does (the frozen base in the loop), times the epochs.
"""

import io
import json
import os
import sys
import threading
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import cv2  # noqa: E402
import numpy  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
import PIL.Image  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402

torch.set_num_threads(1)
cv2.setNumThreads(1)
torch.manual_seed(1)
EACH = 24


def report(peer: str, what: str, threads: int, count: float, wall: float, cpu: float, **more: object) -> None:
    line = {"peer": peer, "what": what, "threads": threads, "images_a_second": count / wall, "core_seconds": cpu / count}
    print(json.dumps(line | more), flush=True)


def timed(work, count: float) -> tuple[float, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return count, time.perf_counter() - wall, time.process_time() - cpu


def several(workers: int, make):
    """Runs `make()` in each of several threads: a function that scores one image."""

    def work() -> None:
        def one() -> None:
            score = make()
            for _ in range(EACH):
                score()

        threads = [threading.Thread(target=one) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return work


class Classifier(torch.nn.Module):
    def __init__(self, base: torch.nn.Module, features: int, last=torch.relu) -> None:
        super().__init__()
        self.base = base
        self.last = last
        self.head = torch.nn.Sequential(
            torch.nn.Linear(features, 1024), torch.nn.ReLU(), torch.nn.Dropout(0.5),
            torch.nn.Linear(1024, 512), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(512, 1),
        )  # fmt: skip

    def features(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.last(self.base.features(x))
        return torch.flatten(torch.nn.functional.adaptive_avg_pool2d(maps, 1), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x))


def scoring(model: Classifier, what: str) -> None:
    model.eval()
    image = torch.rand(1, 3, 224, 224)
    array = image.numpy()
    file = io.BytesIO()
    torch.onnx.export(model, image, file, input_names=["x"], output_names=["y"], dynamo=False)
    onnx = file.getvalue()
    for layout, format in (("", torch.contiguous_format), (" channels_last", torch.channels_last)):
        laid, x = model.to(memory_format=format), image.to(memory_format=format)
        for workers in (1, 2):

            def make(laid=laid, x=x):
                def score():
                    with torch.no_grad():
                        laid(x)

                return score

            make()()
            report(f"PyTorch eager{layout}", what, workers, *timed(several(workers, make), EACH * workers))
    model.to(memory_format=torch.contiguous_format)
    for threads in (1, 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        score = lambda session=session: session.run(None, {"x": array})  # noqa: E731
        score()
        report("ONNX Runtime", what, threads, *timed(lambda: [score() for _ in range(EACH * threads)], EACH * threads))
        core = openvino.Core()
        config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(io.BytesIO(onnx)), "CPU", config)

        def make(compiled=compiled):
            request = compiled.create_infer_request()
            return lambda: request.infer({0: array})

        make()()
        report("OpenVINO", what, threads, *timed(several(threads, make), EACH * threads))


def training(model: Classifier, count: int) -> None:
    """Core-seconds an image of 17 epochs of the head and 15 of the top 20 %, running statistics throughout."""
    model.eval()
    images = torch.rand(count, 3, 224, 224)
    labels = (torch.arange(count) % 2).float()
    weights = torch.ones(count)
    names = [name for name, _ in model.base.features.named_modules()]
    assert "denseblock4.denselayer5" in names
    block = model.base.features.denseblock4
    tail = [block[f"denselayer{n}"] for n in range(5, 17)] + [model.base.features.norm5]

    def epoch(trained: list[torch.nn.Module], batch: int) -> None:
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        parameters = [p for module in trained for p in module.parameters()]
        for parameter in parameters:
            parameter.requires_grad_(True)
        model.head.train()
        optimiser = torch.optim.Adam(parameters, lr=1e-5, eps=1e-7)
        for start in range(0, count, batch):
            x = images[start : start + batch]
            if start % 2:
                x = x.flip(3)
            optimiser.zero_grad()
            logits = model(x).squeeze(1)
            torch.nn.functional.binary_cross_entropy_with_logits(
                logits, labels[start : start + batch], weights[start : start + batch]
            ).backward()
            optimiser.step()
        model.head.eval()

    _, _, head = timed(lambda: epoch([model.head], 32), count)
    _, _, top = timed(lambda: epoch([model.head, *tail], 32), count)
    seconds = (17 * head + 15 * top) / count
    print(json.dumps({"peer": "PyTorch, base in the loop", "what": "32 epochs of experiment 2A", "threads": 1,
                      "images": count, "core_seconds": seconds}), flush=True)  # fmt: skip


def preparing(files: list[str]) -> None:
    contents = [open(file, "rb").read() for file in files]

    def pillow(content: bytes):
        image = PIL.Image.open(io.BytesIO(content)).convert("L")
        return numpy.asarray(image.resize((224, 224), PIL.Image.Resampling.BILINEAR))

    def opencv(content: bytes):
        image = cv2.imdecode(numpy.frombuffer(content, numpy.uint8), cv2.IMREAD_GRAYSCALE)
        return cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)

    for peer, work in (("Pillow", pillow), ("OpenCV", opencv)):
        rounds = max(1, 80 // len(contents))
        result = timed(lambda work=work: [work(c) for _ in range(rounds) for c in contents], rounds * len(contents))
        report(peer, "PNG to 224 x 224", 1, *result)


with torch.no_grad():
    network = Classifier(torchvision.models.densenet121(weights=None), 1024)
    b4 = Classifier(torchvision.models.efficientnet_b4(weights=None), 1792, lambda maps: maps)
scoring(network, "scoring densenet121")
scoring(b4, "scoring efficientnet-b4")
if sys.argv[2:]:
    preparing(sys.argv[2:])
training(network, int(sys.argv[1]))
