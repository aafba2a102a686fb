import Foundation
import Pipelines
import Testing

// Signals go to the whole process: each test has one of its own.
@Suite struct InterruptionTests {
  @Test func theFirstSignalAsksForTheEnd() async {
    await #expect(processExitsWith: .exitCode(143)) {
      let interruption = Interruption { number in
        if number != SIGTERM { exit(99) }
      }
      kill(getpid(), SIGTERM)
      kill(getpid(), SIGTERM)  // an echo
      for _ in 0..<400 where !interruption.stop.isSet { usleep(10_000) }
      usleep(100_000)
      guard let signal = interruption.signalNumber else { exit(98) }
      exit(ExitStatus.interrupted(signal: signal).code)
    }
  }

  @Test func theSecondSignalEndsTheProcessAtOnce() async {
    await #expect(processExitsWith: .exitCode(130)) {
      let interruption = Interruption { _ in }
      kill(getpid(), SIGTERM)
      for _ in 0..<400 where !interruption.stop.isSet { usleep(10_000) }
      usleep(400_000)
      kill(getpid(), SIGINT)
      usleep(4_000_000)
      exit(withExtendedLifetime(interruption) { 97 })
    }
  }

  @Test func aClosedPipeIsAnErrorOfTheWrite() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let interruption = Interruption { _ in }
      let pipe = Pipe()
      try pipe.fileHandleForReading.close()
      let written = unsafe write(pipe.fileHandleForWriting.fileDescriptor, "x", 1)
      exit(withExtendedLifetime(interruption) { written == -1 && errno == EPIPE ? 7 : 96 })
    }
  }
}
