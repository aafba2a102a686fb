/// What a benchmark says of the machine.
package struct MachineRow: Codable, Sendable {
  package var version, isa: String
  package var threads: Int
  /// What is in the way of a fair measurement: the load of the last minute before it.
  package var loadAverage: Double?
  /// Multiplications and additions a second on all threads, by instruction set.
  package var peakGflops: [String: Double]
}

/// One convolution layer.
package struct LayerRow: Codable, Sendable {
  package var layer, algorithm: String
  package var medianMs, minMs, maxMs, gflops: Double
  /// Of the measured peak; algorithms that save multiplications may exceed 100.
  package var percentOfPeak: Double?
}

/// One way through one half of a model; ``BenchmarkJob``.
package struct JobRow: Codable, Sendable {
  package var job, model: String
  package var engine = "lvae"
  package var precision = "f32"
  package var isa: String
  package var threads: Int
  package var loadMs, medianMs, minMs, maxMs: Double
  package var runsMs: [Double]
  /// The processor's time for one run, of all threads.
  package var cpuMs: Double?
  package var msPerMegapixel, gflops: Double
  package var percentOfPeak: Double?
  /// Of the whole process, in units of 10⁶ bytes.
  package var peakMb: Double?
}

/// One stage of pictures → `.latent` files, for one picture.
package struct StageRow: Codable, Sendable {
  package var stage: String
  package var medianMs, minMs, maxMs: Double
}

/// All that `lvae bench` measures.
package struct BenchmarkReport: Codable, Sendable {
  package var machine: MachineRow
  package var layers: [LayerRow] = []
  package var models: [JobRow] = []
  package var stages: [StageRow] = []

  package init(machine: MachineRow) {
    self.machine = machine
  }
}
