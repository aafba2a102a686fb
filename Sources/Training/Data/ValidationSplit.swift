import Tensors

/// Which examples of a data set are for training, and which for validation.
enum ValidationSplit {
  /// Divides by a hash of each name, so that an example stays on its side when others come or go.
  ///
  /// See ``TrainingData/init(_:validationFraction:)``.
  ///
  /// - Precondition: the fraction is in 0…1.
  static func sides(
    of names: [String], fraction: Double
  ) -> (training: [Int], validation: [Int]) {
    precondition((0...1).contains(fraction), "a part of \(fraction)")
    let hashes = names.map { Double(CRC32.checksum(Array($0.utf8).span)) * 0x1p-32 }
    var training: [Int] = []
    var validation: [Int] = []
    for (index, hash) in hashes.enumerated() {
      if hash < fraction { validation.append(index) } else { training.append(index) }
    }
    if names.count >= 2, fraction > 0, fraction < 1 {
      if validation.isEmpty, let nearest = training.min(by: { hashes[$0] < hashes[$1] }) {
        (training, validation) = (training.filter { $0 != nearest }, [nearest])
      } else if training.isEmpty, let nearest = validation.max(by: { hashes[$0] < hashes[$1] }) {
        (training, validation) = ([nearest], validation.filter { $0 != nearest })
      }
    }
    return (training, validation)
  }
}
