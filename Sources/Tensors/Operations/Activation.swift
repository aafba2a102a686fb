import CKernels

/// A function applied to each number behind a convolution or a normalisation.
public enum Activation: Sendable {
  /// x
  case identity
  /// max(x, 0)
  case relu
  /// x / (1 + exp(−x)), also called swish.
  case silu

  var kernel: lvae_activation {
    switch self {
    case .identity: lvae_activation_none
    case .relu: lvae_activation_relu
    case .silu: lvae_activation_silu
    }
  }
}
