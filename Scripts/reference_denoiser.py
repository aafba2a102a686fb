#!/usr/bin/env python3
"""Trains a UNet2DModel with PyTorch and diffusers as `lvae diffuse-train` does, to compare the losses.

    Scripts/reference_denoiser.py FOLDER

FOLDER holds
  unet/             the network before its first step, as diffusers saves it
  settings.json     the run's settings, as `lvae diffuse-train` keeps them
  batches.safetensors
                    for each step K `latents.K` and `noise.K` [N, h, w, C], `time.K`: timesteps, or
                    sigmas of a flow [N], and `labels.K` [N] where there are classes
and gets
  losses.jsonl      a line a step: loss, mse

Compared are the network, its gradients, the process, the targets, the weights of noise levels and
AdamW with a constant rate, without clipping and decay.

Needs torch 2, diffusers and safetensors.
"""
import json
import sys
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.training_utils import compute_snr
from safetensors.torch import load_file


def scheduler_of(noise):
    return DDPMScheduler(
        num_train_timesteps=noise["timesteps"], beta_schedule=noise["schedule"],
        beta_start=noise["beta_start"], beta_end=noise["beta_end"],
        prediction_type=noise["prediction"], rescale_betas_zero_snr=noise["zero_terminal_snr"])


def weights(objective, scheduler, timesteps, prediction):
    """As diffusers' train_text_to_image.py has them, for x0 as well."""
    if objective["weighting"] == "none":
        return torch.ones(len(timesteps))
    snr = compute_snr(scheduler, timesteps)
    capped = torch.clamp(snr, max=objective["min_snr_gamma"])
    return {"epsilon": capped / snr, "v_prediction": capped / (snr + 1), "sample": capped}[prediction]


def errors(model, settings, latents, noise, time, labels):
    """The square errors, and the weight of each image."""
    prediction = settings["noise"]["prediction"]
    if prediction == "flow_prediction":
        # As diffusers' train_dreambooth_sd3.py has it.
        sigmas = time.view(-1, 1, 1, 1)
        noisy = (1.0 - sigmas) * latents + sigmas * noise
        target, timesteps = noise - latents, time * settings["noise"]["timesteps"]
        weight = torch.ones(len(time))
        if settings["objective"]["weighting"] == "min_snr":
            snr = ((1 - time) / time) ** 2
            weight = torch.clamp(snr, max=settings["objective"]["min_snr_gamma"]) * time**2
    else:
        scheduler, timesteps = scheduler_of(settings["noise"]), time.long()
        noisy = scheduler.add_noise(latents, noise, timesteps)
        target = {"epsilon": lambda: noise, "sample": lambda: latents,
                  "v_prediction": lambda: scheduler.get_velocity(latents, noise, timesteps),
                  }[prediction]()
        weight = weights(settings["objective"], scheduler, timesteps, prediction)
    estimate = model(noisy, timesteps, class_labels=labels).sample
    return (estimate - target) ** 2, weight


def main(folder):
    torch.set_num_threads(1)
    settings = json.loads((folder / "settings.json").read_text())
    optimization = settings["optimizer"]
    tensors = load_file(folder / "batches.safetensors")
    model = UNet2DModel.from_pretrained(folder / "unet")
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=optimization["learning_rate"],
        betas=tuple(optimization["betas"]), eps=optimization["epsilon"], weight_decay=0)
    with open(folder / "losses.jsonl", "w") as log:
        for step in range(settings["train"]["steps"]):
            latents, noise = (tensors[f"{name}.{step}"].permute(0, 3, 1, 2).contiguous()
                              for name in ("latents", "noise"))
            labels = tensors.get(f"labels.{step}")
            squares, weight = errors(
                model, settings, latents, noise, tensors[f"time.{step}"],
                labels if labels is None else labels.long())
            per_image = squares.mean(dim=(1, 2, 3))
            loss = (per_image * weight).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            log.write(json.dumps(
                {"loss": loss.item(), "mse": per_image.mean().item()}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
