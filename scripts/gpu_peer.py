"""Experiment 2A and scoring with PyTorch on a graphics processor: one line of JSON each. `gpu-check.py` runs it.

    gpu_peer.py TRAINING TUNING SECONDS IMAGES [DEVICE]

TRAINING and TUNING are the numbers of images of the two sides; each rate is measured for about SECONDS. IMAGES is a folder of
image files that are decoded first where Pillow is there; otherwise images are random: speed does not depend on them. The
network is DenseNet121 with the head of `docs/experiment.md`, written out here, so that torchvision is not needed.

Everything is arranged for speed as far as plain PyTorch goes: images lie on the device as bytes and are expanded, mirrored and
normalised there, a batch is one forward and one backward pass, Adam is the fused one. "base in the loop" runs the frozen
layers in every epoch, as a training loop usually does; "stored" computes them once, mirrored and not, as Sequester does, and
keeps them on the device.
"""

import json
import pathlib
import sys
import time

import torch
from torch import nn

GROWTH, BLOCKS = 32, (6, 12, 24, 16)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The top 20 % of the base as Keras counts its layers begins at dense block 4, layer 5.
TRAINED_FROM = 4


class Layer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(channels), nn.Conv2d(channels, 4 * GROWTH, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * GROWTH), nn.Conv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu_(self.norm1(x)))
        return torch.cat([x, self.conv2(torch.relu_(self.norm2(y)))], 1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        frozen = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        trained, channels = [], 64
        for number, layers in enumerate(BLOCKS):
            for layer in range(layers):
                last = number == len(BLOCKS) - 1
                (trained if last and layer >= TRAINED_FROM else frozen).append(Layer(channels))
                channels += GROWTH
            if number < len(BLOCKS) - 1:
                frozen += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2)]
                channels //= 2
        trained += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.frozen, self.top = nn.Sequential(*frozen), nn.Sequential(*trained)
        self.head = nn.Sequential(
            nn.Linear(channels, 1024), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.3), nn.Linear(512, 1),
        )  # fmt: skip

    def forward(self, x):
        return self.head(self.top(self.frozen(x))).squeeze(1)


def report(what, precision, **values):
    print(json.dumps({"what": what, "precision": precision} | values), flush=True)


def decoded(folder, count):
    try:
        import numpy
        from PIL import Image
    except ImportError:
        return None, "random"
    files = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in (".jpeg", ".jpg", ".png"))[:count]
    begun = time.perf_counter()
    planes = []
    for file in files:
        image = Image.open(file).convert("L")
        planes.append(numpy.asarray(image if image.size == (224, 224) else image.resize((224, 224)), dtype="uint8"))
    report("decoding on one core", "", images_a_second=len(files) / (time.perf_counter() - begun))
    return torch.from_numpy(numpy.stack(planes)), "decoded"


def rate(step, images, seconds):
    """Images a second of a step on so many images, after a warm-up."""
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    begun, cpu, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < seconds:
        for _ in range(5):
            step()
        steps += 5
        torch.cuda.synchronize()
    wall = time.perf_counter() - begun
    return steps * images / wall, (time.process_time() - cpu) / (steps * images)


def main():
    training, tuning, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    device = torch.device(sys.argv[5] if len(sys.argv) > 5 else "cuda")
    torch.manual_seed(1)
    planes, origin = decoded(sys.argv[4], training)
    if planes is None:
        planes = torch.randint(0, 256, (training, 224, 224), dtype=torch.uint8)
    planes = planes.to(device)
    labels = (torch.arange(len(planes), device=device) % 2).float()
    weights = torch.ones_like(labels)
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    model = Classifier().to(device)
    report("versions", "", torch=torch.__version__, cudnn=torch.backends.cudnn.version(), card=torch.cuda.get_device_name(),
           images=origin)  # fmt: skip

    def batch(places):
        x = planes[places].float().div_(255).unsqueeze(1)
        flip = torch.rand(len(places), device=device) < 0.5
        x = torch.where(flip.view(-1, 1, 1, 1), x.flip(3), x)
        return (x.expand(-1, 3, -1, -1) - mean) / std

    def places(count):
        return torch.randint(0, len(planes), (count,), device=device)

    for precision, tf32 in (("tf32", True), ("fp32", False)):
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        model.eval()
        scoring = {}
        for size in (1, 64):
            def score(size=size):
                with torch.no_grad():
                    logits = model(batch(places(size)))
                if size == 1:
                    logits.item()

            scoring[size], core = rate(score, size, seconds)
            report(f"scoring, batch {size}", precision, images_a_second=scoring[size], core_seconds=core)
        totals = {"base in the loop": 0.0, "stored": 0.0}
        # What frozen layers give, once an image and view, in batches.
        totals["stored"] += 2 * (training + tuning) / scoring[64]
        for stage, epochs, size, parts in (("head", 17, 64, [model.head]), ("top 20 %", 15, 32, [model.top, model.head])):
            parameters = [p for part in parts for p in part.parameters()]
            for parameter in parameters:
                parameter.requires_grad_(True)
            # Running statistics throughout; dropout in the head alone.
            model.head.train()
            with torch.no_grad():
                store = []
                for start in range(0, min(len(planes), 2048), 64):
                    x = model.frozen(batch(torch.arange(start, min(start + 64, len(planes)), device=device)))
                    store.append(model.top(x) if stage == "head" else x)
                store = torch.cat(store)
            for plan in totals:
                optimiser = torch.optim.Adam(parameters, lr=1e-5, eps=1e-7, fused=True)

                def step(plan=plan, size=size, optimiser=optimiser, stage=stage, store=store):
                    optimiser.zero_grad()
                    at = places(size) % len(store)
                    if plan == "stored":
                        x = store[at]
                        x = x if stage == "head" else model.top(x)
                    else:
                        with torch.no_grad():
                            x = model.frozen(batch(at))
                            x = model.top(x) if stage == "head" else x
                        x = x if stage == "head" else model.top(x)
                    logits = model.head(x).squeeze(1)
                    nn.functional.binary_cross_entropy_with_logits(logits, labels[at], weights[at]).backward()
                    optimiser.step()

                speed, core = rate(step, size, seconds)
                report(f"training {stage}, {plan}", precision, images_a_second=speed, core_seconds=core, batch=size)
                each = training / speed + (tuning / scoring[64] if plan == "base in the loop" else 0.0)
                totals[plan] += epochs * each
            model.head.eval()
        for plan, total in totals.items():
            report(f"32 epochs of experiment 2A, {plan}", precision, seconds=total, calculated=True)


if __name__ == "__main__":
    main()
