import Foundation
import Pipelines
import Synchronization
import TestSupport
import Testing

@Suite struct ClaimTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private final class Clock: Sendable {
    let seconds = Mutex(0.0)
    func advance(_ seconds: Double) { self.seconds.withLock { $0 += seconds } }
  }

  private func claims(expiry: Double = 3600, _ clock: Clock? = nil) throws -> ClaimFolder {
    guard let clock else { return try ClaimFolder(path: folder.path, expiry: expiry) }
    return try ClaimFolder(path: folder.path, expiry: expiry) { clock.seconds.withLock { $0 } }
  }

  private func shard(_ index: Int = 3) throws -> Shard {
    try #require(Shard(index: index, count: 8))
  }

  @Test func aPartIsClaimedOnceUntilItIsReleased() throws {
    let (mine, others) = (try claims(), try claims())
    let claim = try #require(try mine.claim(shard()))
    #expect(try others.claim(shard()) == nil)
    #expect(try others.claim(shard(4)) != nil)
    claim.release()
    #expect(try folder.names() == ["4-of-8.1"])
    #expect(try others.claim(shard()) != nil)
  }

  /// The lock tells on this machine; a claim of another is void after it was unchanged for long.
  @Test func aClaimOfAnotherMachineExpiresWhenItIsNotRenewed() throws {
    try folder.write("3-of-8.1", "another machine\n")
    let clock = Clock()
    let claims = try claims(expiry: 100, clock)
    #expect(try claims.claim(shard()) == nil)
    clock.advance(90)
    #expect(try claims.claim(shard()) == nil)
    try folder.write("3-of-8.1", "another machine\n.")
    clock.advance(90)
    // It was renewed in between.
    #expect(try claims.claim(shard()) == nil)
    clock.advance(101)
    #expect(try claims.claim(shard()) != nil)
  }

  @Test func whoWasTakenForDeadLosesTheClaim() throws {
    let clock = Clock()
    let owner = try #require(try claims(expiry: 2).claim(shard()))
    // An observer for whom time flies, on a machine that sees no locks.
    var bytes = try Data(contentsOf: URL(filePath: folder("3-of-8.1")))
    let observer = try claims(expiry: 100, clock)
    #expect(try observer.claim(shard()) == nil)
    clock.advance(101)
    bytes = try Data(contentsOf: URL(filePath: folder("3-of-8.1")))
    #expect(!bytes.isEmpty)
    let taken = try #require(try observer.claim(shard()))
    for _ in 0..<100 where !owner.isLost.isSet { Thread.sleep(forTimeInterval: 0.05) }
    #expect(owner.isLost.isSet)
    owner.release()
    // The winner's is still there.
    #expect(try folder.names().contains("3-of-8.2"))
    taken.release()
    #expect(try folder.names() == [])
  }

  @Test func ofManyThatTakeOverOneWins() throws {
    for round in 0..<30 {
      try folder.write("\(round % 8)-of-8.1", "another machine\n")
      let shard = try shard(round % 8)
      let winners = Mutex<[Claim]>([])
      let threads = WorkerThreads(stackSize: 1 << 19)
      // All have seen the claim, and then for long no sign of life.
      let observers = try (0..<8).map { _ in
        let clock = Clock()
        let claims = try claims(expiry: 1, clock)
        #expect(try claims.claim(shard) == nil)
        clock.advance(2)
        return claims
      }
      for claims in observers {
        threads.start("claim") {
          if let claim = try? claims.claim(shard) { winners.withLock { $0.append(claim) } }
        }
      }
      threads.join()
      let won = winners.withLock { $0 }
      #expect(won.count == 1)
      for claim in won { claim.release() }
    }
  }

  @Test func aProcessThatWasKilledHereIsSeenAtOnce() throws {
    // The lock of a claim is free when its owner is dead.
    let machine = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try folder.write("3-of-8.1", "\(machine) 4194304 here\n")
    #expect(try claims().claim(shard()) != nil)
  }
}
