#!/usr/bin/env python3
"""What pytorch-fid's Inception says about pictures, with random weights: what tests compare with.

    Scripts/reference_inception.py weights.safetensors pictures.safetensors features.safetensors

Reads "pictures" [N, 3, H, W] in 0...1, writes weights and "features" [N, 2048]. Needs torch,
torchvision, pytorch-fid and safetensors.
"""

import re
import sys

import torch
from safetensors.torch import load_file, save_file


def import_inception():
    """pytorch-fid's module. A torchvision that was built for another torch lacks its operators, none
    of which is needed here: they are declared until it can be imported."""
    operators = torch.library.Library("torchvision", "FRAGMENT")
    while True:
        try:
            from pytorch_fid import inception

            return inception
        except RuntimeError as error:
            missing = re.search(r"torchvision::(\w+) does not exist", str(error))
            if not missing:
                raise
            operators.define(missing[1] + "(Tensor x) -> Tensor")
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]


inception = import_inception()


def random_weights(model):
    """Weights that keep numbers in range, and norms that do something."""
    torch.manual_seed(0)
    for name, value in model.state_dict().items():
        if name.endswith("running_var") or name.endswith("bn.weight"):
            value.uniform_(0.8, 1.2)
        elif name.endswith("running_mean") or name.endswith("bn.bias"):
            value.uniform_(-0.1, 0.1)
        elif value.dim() > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5)


def main():
    weights, pictures, features = sys.argv[1:]
    kept = {}

    def without_download(*_, **__):
        return kept["model"].state_dict()

    build = inception._inception_v3

    def remembered(*arguments, **options):
        kept.setdefault("model", build(*arguments, **options))
        return kept["model"]

    inception._inception_v3 = remembered
    inception.load_state_dict_from_url = without_download
    network = inception.fid_inception_v3()
    random_weights(network)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, weights)
    inception.fid_inception_v3 = lambda: network
    model = inception.InceptionV3([3]).eval()
    with torch.no_grad():
        result = model(load_file(pictures)["pictures"])[0][:, :, 0, 0]
    save_file({"features": result.contiguous()}, features)


if __name__ == "__main__":
    main()
