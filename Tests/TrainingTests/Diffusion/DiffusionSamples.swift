import Models
import Tensors
import TestSupport
import Training

/// Settings of a run that takes a second or two.
func quickDiffusionSettings(
  steps: Int = 6, _ change: (inout DiffusionSettings) -> Void = { _ in }
) throws -> DiffusionSettings {
  let text = """
    {
      "model": {
        "_class_name": "UNet2DModel", "block_out_channels": [8, 16],
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1, "norm_num_groups": 4, "attention_head_dim": 8
      },
      "data": {"batch_size": 4, "validation_fraction": 0.3},
      "sampling": {"steps": 2},
      "optimizer": {"warm_up_steps": 2},
      "train": {
        "steps": \(steps), "log_every": 1, "checkpoint_every": 2, "validate_every": 3,
        "sample_every": 3, "sample_count": 4
      }
    }
    """
  var settings = try DiffusionSettings(decoding: Array(text.utf8), source: "test")
  change(&settings)
  return settings
}

/// A batch of latents of the tiny network.
func latentBatch(_ number: Int, classCount: Int? = nil) -> LatentBatch {
  LatentBatch(
    latents: sampleTensor([4, 8, 8, 4], seed: UInt64(number + 1)),
    labels: classCount.map { count in (0..<4).map { ($0 + number) % count } })
}
