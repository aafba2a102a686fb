import Foundation
import Tensors

extension MachineRow {
  /// Measures how fast this machine multiplies and adds, on the current pool's threads.
  package static func measured(repeats: Int) -> MachineRow {
    let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))
      .flatMap { $0.split(separator: " ").first }.flatMap { Double($0) }
    var peaks: [String: Double] = [:]
    for isa in InstructionSet.usable {
      var operations = 0.0
      let timing = Timing(repeats: repeats) { operations = isa.runArithmetic(rounds: 2_000_000) }
      // The best run: whatever else slows a loop in registers down isn't this process.
      peaks[isa.rawValue] = operations / timing.minimum / 1e6
    }
    return MachineRow(
      version: Program.version, isa: InstructionSet.current.rawValue,
      threads: ThreadPool.current.threadCount, loadAverage: load, peakGflops: peaks)
  }

  /// Of the instruction set in use.
  package var currentPeakGflops: Double? { peakGflops[isa] }
}
