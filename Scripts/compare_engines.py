"""What Scripts/compare.py runs in processes of their own: preparing models, and one engine's runs.

    compare_engines.py prepare ENGINE JOB FOLDER       what the engine needs, into the cache
    compare_engines.py run ENGINE JOB FOLDER --threads N --repeat N --output FILE
    compare_engines.py encode ENGINE FOLDER IMAGE... --threads N --output DIR

FOLDER is the job's: model/ (a diffusers folder), input.safetensors, and what engines converted.
The result of `run` is a line of JSON. Only what an engine needs is imported: memory is measured.
"""
import argparse
import json
import pathlib
import time


def peak_mb():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6


# Models, in PyTorch


def make_model(family, folder):
    """A network with random weights, the same each time, as a diffusers folder."""
    import diffusers
    import torch

    torch.manual_seed(0)
    if family == "sd":
        model = diffusers.AutoencoderKL(
            block_out_channels=[128, 256, 512, 512], layers_per_block=2, latent_channels=4,
            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
            sample_size=512)
    elif family == "train-kl":
        model = diffusers.AutoencoderKL(
            block_out_channels=[64, 128, 128], layers_per_block=1, latent_channels=4,
            down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3,
            sample_size=64)
    elif family in ("unet", "train-unet"):
        model = diffusers.UNet2DModel(
            sample_size=32, in_channels=4, out_channels=4, block_out_channels=[64, 128, 192],
            down_block_types=["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
            up_block_types=["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"])
    else:
        model = diffusers.AutoencoderTiny()
    model.save_pretrained(folder)


def denoiser(job, folder):
    """A denoiser as a module of one tensor, [N, C, H, W], at the timesteps that lvae bench has."""
    import diffusers
    import torch

    class Denoiser(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = diffusers.UNet2DModel.from_pretrained(
                f"{folder}/model", low_cpu_mem_usage=False)
            self.timesteps = timesteps(batch_of(job))

        def forward(self, x):
            return self.unet(x, self.timesteps).sample

    return Denoiser().eval()


def timesteps(count):
    """Those of `lvae bench`: 7, 107, …, 907, 7 …"""
    import torch

    return torch.arange(count) % 10 * 100 + 7


def batch_of(job):
    return int(job.split("-b")[1]) if "-b" in job else 1


def half_of_model(job, folder):
    """Encoder or decoder as a module of one tensor, [1, C, H, W] → [1, C', H', W']."""
    import diffusers
    import torch

    if job.startswith("unet-"):
        return denoiser(job, folder)
    name = json.load(open(f"{folder}/model/config.json"))["_class_name"]
    vae = getattr(diffusers, name).from_pretrained(
        f"{folder}/model", low_cpu_mem_usage=False).eval()
    is_kl = name == "AutoencoderKL"

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.quant_conv = vae.encoder, getattr(vae, "quant_conv", None)

        def forward(self, x):
            if not is_kl:
                return self.encoder(x)
            return self.quant_conv(self.encoder(x)).chunk(2, dim=1)[0]

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.decoder, self.conv = vae.decoder, getattr(vae, "post_quant_conv", None)

        def forward(self, x):
            return self.decoder(self.conv(x) if is_kl else x)

    return (Encoder() if "encode" in job else Decoder()).eval()


def family_of(job):
    """`taesd` of taesd-encode-512, `train-kl` of train-kl-64-b16."""
    parts = job.split("-")
    return "-".join(parts[:2]) if parts[0] == "train" else parts[0]


def random_inputs(job, family):
    """Latents; or smooth pictures with some noise, in −1…1."""
    import torch

    batch = batch_of(job)
    if "unet" in family:
        size = int(job.split("-")[-2])
        return {"input": torch.randn(batch, 4, size, size)}
    size = int(job.split("-")[2])
    if "decode" in job:
        return {"input": torch.randn(batch, 4, size // 8, size // 8)}
    x = torch.nn.functional.interpolate(torch.randn(batch, 3, 16, 16), size, mode="bicubic")
    inputs = {"input": (0.5 * x + 0.05 * torch.randn_like(x)).clamp(-1, 1)}
    if family == "train-kl":
        inputs["noise"] = torch.randn(batch, 4, size // 4, size // 4)
    return inputs


def prepare(engine, job, folder):
    import torch
    from safetensors.torch import load_file, save_file

    family = family_of(job)
    if not (folder / "model/config.json").exists():
        make_model(family, folder / "model")
    if not (folder / "input.safetensors").exists():
        torch.manual_seed(1)
        save_file(
            {name: x.contiguous() for name, x in random_inputs(job, family).items()},
            folder / "input.safetensors")
    x = load_file(folder / "input.safetensors")["input"]
    if engine == "onnxruntime" and not (folder / "model.onnx").exists():
        with torch.inference_mode():
            torch.onnx.export(
                half_of_model(job, folder), (x,), str(folder / "model.onnx"), dynamo=True,
                input_names=["input"], output_names=["output"], external_data=False, verbose=False)
    if engine.startswith("openvino") and not (folder / "model.xml").exists():
        import openvino

        with torch.inference_mode():
            model = openvino.convert_model(
                half_of_model(job, folder), example_input=x,
                input=[tuple(x.shape) if family == "unet" else (1, x.shape[1], -1, -1)])
        openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)


# Engines: each gives a function from a NumPy array to a NumPy array.


def pytorch(job, folder, shape, threads, precision):
    import torch

    torch.set_num_threads(threads)
    module = half_of_model(job, folder).to(memory_format=torch.channels_last)
    if precision == "bf16":
        module = module.to(torch.bfloat16)

    def run(x):
        with torch.inference_mode():
            x = torch.from_numpy(x).to(module_type, memory_format=torch.channels_last)
            return module(x).float().contiguous().numpy()

    module_type = next(module.parameters()).dtype
    return run


def onnxruntime(job, folder, shape, threads, precision):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"input": x})[0]


def openvino(job, folder, shape, threads, precision):
    import openvino as ov

    core = ov.Core()
    model = core.read_model(folder / "model.xml")
    model.reshape(list(shape))
    compiled = core.compile_model(
        model, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()
    return lambda x: request.infer({0: x}, share_inputs=True)[0]


ENGINES = {"pytorch": pytorch, "onnxruntime": onnxruntime, "openvino": openvino}


def engine_named(name):
    name, _, precision = name.partition("-")
    return ENGINES[name], precision or "f32"


def training(job, folder, threads):
    """A step of training in PyTorch: what `lvae bench --job train-…` does."""
    import diffusers
    import torch

    torch.set_num_threads(threads)
    name = json.load(open(f"{folder}/model/config.json"))["_class_name"]
    model = getattr(diffusers, name).from_pretrained(f"{folder}/model", low_cpu_mem_usage=False)
    model = model.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0, fused=True)
    losses = []

    def autoencoder_loss(x, noise):
        posterior = model.encode(x).latent_dist
        y = model.decode(posterior.mean + posterior.std * noise).sample
        kl = posterior.kl().mean() / x[0].numel()
        return torch.nn.functional.mse_loss(y, x) + 1e-6 * kl

    def denoiser_loss(x):
        return torch.nn.functional.mse_loss(model(x, timesteps(len(x))).sample, x)

    def step(inputs):
        tensors = {
            name: torch.from_numpy(value).to(memory_format=torch.channels_last)
            for name, value in inputs.items()}
        x = tensors["input"]
        loss = autoencoder_loss(x, tensors["noise"]) if "noise" in tensors else denoiser_loss(x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        return torch.tensor(losses).numpy()

    return step


def run(engine, job, folder, threads, repeat, output):
    from safetensors.numpy import load_file, save_file

    inputs = load_file(folder / "input.safetensors")
    start = time.perf_counter()
    if job.startswith("train-"):
        x, compute = inputs, training(job, folder, threads)
    else:
        make, precision = engine_named(engine)
        x = inputs["input"]
        compute = make(job, folder, x.shape, threads, precision)
    load_ms = (time.perf_counter() - start) * 1e3
    compute(x)
    runs, processor = [], time.process_time()
    for _ in range(repeat):
        start = time.perf_counter()
        y = compute(x)
        runs.append((time.perf_counter() - start) * 1e3)
    processor = (time.process_time() - processor) * 1e3 / repeat
    peak = peak_mb()
    save_file({"output": y.copy()}, output)
    print(json.dumps({"runs_ms": runs, "cpu_ms": processor, "load_ms": load_ms, "peak_mb": peak}))


def encode(engine, folder, images, threads, output):
    """What `lvae encode` does, as one would write it with NumPy: pictures to 8-bit latents."""
    import concurrent.futures

    import numpy as np
    from PIL import Image

    make, precision = engine_named(engine)
    networks = {}

    def read(path):
        picture = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)
        height, width = (extent + -extent % 8 for extent in picture.shape[:2])
        picture = np.pad(
            picture, ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0)),
            mode="edge")
        return np.ascontiguousarray((picture / 127.5 - 1).transpose(2, 0, 1)[None])

    def write(path, latent):
        scale = np.abs(latent).max(axis=(0, 2, 3), keepdims=True) / 127
        np.savez_compressed(
            f"{output}/{pathlib.Path(path).stem}.npz",
            values=np.round(latent / scale).astype(np.int8), scale=scale)

    # Reading and writing overlap with the network.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pictures = [pool.submit(read, path) for path in images]
        written = []
        for path, picture in zip(images, pictures):
            x = picture.result()
            if x.shape not in networks:
                networks[x.shape] = make("encode", folder, x.shape, threads, precision)
            written.append(pool.submit(write, path, networks[x.shape](x).copy()))
        for result in written:
            result.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["prepare", "run", "encode"])
    parser.add_argument("engine")
    parser.add_argument("arguments", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--output")
    given = parser.parse_args()
    if given.action == "prepare":
        prepare(given.engine, given.arguments[0], pathlib.Path(given.arguments[1]))
    elif given.action == "run":
        job, folder = given.arguments
        run(given.engine, job, pathlib.Path(folder), given.threads, given.repeat, given.output)
    else:
        folder, *images = given.arguments
        encode(given.engine, pathlib.Path(folder), images, given.threads, given.output)


if __name__ == "__main__":
    main()
