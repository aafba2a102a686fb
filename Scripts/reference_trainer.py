#!/usr/bin/env python3
"""Trains an AutoencoderKL with PyTorch and diffusers as `lvae train` does, to compare the losses.

    Scripts/reference_trainer.py FOLDER

FOLDER holds
  start/            the network before its first step, as diffusers saves it
  settings.json     the run's settings, as `lvae train` keeps them
  batches.safetensors
                    for each batch of the run `batch.K`, pictures [N, H, W, 3] in -1...1, and
                    `noise.K`, the noise of the posterior's sample [N, h, w, C]
and gets
  losses.jsonl      a line a step: step, loss, gradient_norm, learning_rate
  end.safetensors   the weights after the last step, and their running means as `ema.NAME`

Data, order and noise are those of lvae, so that what is compared is the network, its gradients, the
losses, the optimiser, the schedule, clipping, accumulation and the running means. Terms: l1, mse,
huber and the divergence with its warm-up.

Needs torch 2, diffusers and safetensors.
"""
import json
import math
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file


def reconstruction(settings, y, x):
    kind = settings["reconstruction"]
    if kind == "mse":
        return torch.nn.functional.mse_loss(y, x)
    if kind == "l1":
        return torch.nn.functional.l1_loss(y, x)
    if kind == "huber":
        return torch.nn.functional.smooth_l1_loss(y, x, beta=settings["huber_delta"])
    sys.exit(f"objective.reconstruction {kind} isn't compared; use l1, mse or huber")


def kl_weight(settings, step):
    beta, steps = settings["kl_weight"], settings["kl_warm_up_steps"]
    if settings["kl_warm_up"] == "linear":
        return beta * min(1, step / steps)
    if settings["kl_warm_up"] == "cyclical":
        return beta * min(1, 2 * (step % steps) / steps)
    return beta


def learning_rate(settings, step, steps):
    peak, warm_up = settings["learning_rate"], settings["warm_up_steps"]
    if step < warm_up:
        return peak * (step + 1) / warm_up
    if settings["schedule"] == "constant":
        return peak
    progress = min(1, (step - warm_up) / max(1, steps - 1 - warm_up))
    floor = settings["floor"]
    return peak * (floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2)


def loss_of(model, objective, x, noise, step):
    posterior = model.encode(x).latent_dist
    y = model.decode(posterior.mean + posterior.std * noise).sample
    kl = posterior.kl().mean() / x[0].numel()
    return (
        objective["reconstruction_weight"] * reconstruction(objective, y, x)
        + kl_weight(objective, step) * kl
    )


def optimizer_of(model, settings):
    decays = lambda p: settings["decay_norms_and_biases"] or p.dim() > 1
    groups = [
        {"params": [p for p in model.parameters() if decays(p)],
         "weight_decay": settings["weight_decay"]},
        {"params": [p for p in model.parameters() if not decays(p)], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [g for g in groups if g["params"]], betas=tuple(settings["betas"]),
        eps=settings["epsilon"])


def main(folder):
    settings = json.loads((folder / "settings.json").read_text())
    objective, optimization = settings["objective"], settings["optimizer"]
    tensors = {k: v.permute(0, 3, 1, 2).contiguous()
               for k, v in load_file(folder / "batches.safetensors").items()}
    model = AutoencoderKL.from_pretrained(folder / "start")
    optimizer = optimizer_of(model, optimization)
    averages = {k: v.detach().clone() for k, v in model.named_parameters()}
    steps, parts = settings["train"]["steps"], optimization["accumulation"]
    with open(folder / "losses.jsonl", "w") as log:
        for step in range(steps):
            optimizer.zero_grad()
            total = 0.0
            for number in range(step * parts, (step + 1) * parts):
                loss = loss_of(
                    model, objective, tensors[f"batch.{number}"], tensors[f"noise.{number}"], step)
                (loss / parts).backward()
                total += loss.item() / parts
            limit = optimization["clip_norm"] or math.inf
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit).item()
            rate = learning_rate(optimization, step, steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            kept = min(optimization["ema_decay"], (1 + step) / (10 + step))
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    averages[name].mul_(kept).add_(parameter, alpha=1 - kept)
            log.write(json.dumps({"step": step + 1, "loss": total, "gradient_norm": norm,
                                  "learning_rate": rate}) + "\n")
    end = {k: v.detach() for k, v in model.named_parameters()}
    save_file(end | {f"ema.{k}": v for k, v in averages.items()}, folder / "end.safetensors")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
