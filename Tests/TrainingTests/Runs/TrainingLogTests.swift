import Foundation
import TestSupport
import Testing
import Training

@Suite struct TrainingLogTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func entry(_ step: Int, _ loss: Double) -> TrainingLog.Entry {
    TrainingLog.Entry(step: step, values: [("loss", loss), ("validation.psnr", 20 + loss)])
  }

  @Test func linesComeBackInOrder() throws {
    var log = try TrainingLog(path: folder("log.jsonl"), resumingAfter: 0)
    for step in 1...3 { try log.append(entry(step, 1 / Double(step))) }
    try log.append(TrainingLog.Entry(step: 4, values: [("loss", .nan), ("kl", .infinity)]))
    let text = try folder.text("log.jsonl")
    #expect(text.hasPrefix("{\"step\":1,\"loss\":1,\"validation.psnr\":21}\n"))
    #expect(text.hasSuffix("{\"step\":4,\"loss\":null,\"kl\":null}\n"))
    let read = try TrainingLog.read(path: folder("log.jsonl"))
    #expect(read.map(\.step) == [1, 2, 3, 4])
    #expect(read[2]["loss"] == 1.0 / 3 && read[3]["loss"]?.isNaN == true)
    #expect(
      TrainingLog.series("validation.psnr", in: read).map(\.value) == [21, 20.5, 20 + 1.0 / 3])
  }

  @Test func whatTheRunMakesAgainIsCutOff() throws {
    var log = try TrainingLog(path: folder("log"), resumingAfter: 0)
    for step in 1...5 { try log.append(entry(step, 2)) }
    let half = Data(try folder.text("log").utf8) + Data("{\"step\":6,\"lo".utf8)
    try half.write(to: URL(filePath: folder("log")))
    var resumed = try TrainingLog(path: folder("log"), resumingAfter: 3)
    #expect(resumed.entries.map(\.step) == [1, 2, 3])
    try resumed.append(entry(4, 7))
    #expect(try TrainingLog.read(path: folder("log")).map { $0["loss"] } == [2, 2, 2, 7])
    _ = try TrainingLog(path: folder("log"), resumingAfter: 0)
    #expect(try folder.text("log") == "")
  }

  @Test func aLogThatCannotBeWrittenIsAnError() throws {
    #expect(throws: (any Error).self) {
      try TrainingLog(path: folder("none/log"), resumingAfter: 0)
    }
    #expect(throws: (any Error).self) { try TrainingLog.read(path: folder("none")) }
  }
}
