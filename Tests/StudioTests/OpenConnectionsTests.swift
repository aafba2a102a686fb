import Synchronization
import Testing

import Studio

@Suite struct OpenConnectionsTests {
  /// What connections were told.
  private final class Endings: Sendable {
    let told = Mutex<[String]>([])

    func end(_ name: String) -> OpenConnections.End {
      { isTold in self.told.withLock { $0.append(isTold ? "\(name) is told" : name) } }
    }

    var all: [String] { told.withLock { $0.sorted() } }
  }

  private let connections = OpenConnections(limit: 3)
  private let endings = Endings()

  private func add(_ name: String) -> OpenConnections.Identifier {
    connections.add(end: endings.end(name))
  }

  @Test func whoHasWaitedLongestMakesRoom() {
    let old = add("old")
    connections.wait(old, for: .seconds(60))
    let working = add("working")
    connections.wait(working, for: .seconds(60))
    connections.work(working)
    #expect(connections.makeRoom() == .free)
    connections.wait(add("young"), for: .seconds(60))
    // More time, as for a head that begins, makes nobody younger.
    connections.wait(old, for: .seconds(60))
    #expect(connections.makeRoom() == .soon)
    #expect(connections.makeRoom() == .soon)
    #expect(endings.all == ["old"] && connections.isEnding(old))
    connections.remove(old)
    #expect(connections.makeRoom() == .free && connections.count == 2)
  }

  @Test func whereAllWorkThereIsNoRoom() {
    for index in 0..<3 { connections.work(add("\(index)")) }
    #expect(connections.makeRoom() == .none)
    #expect(endings.all.isEmpty)
  }

  @Test func overdueConnectionsEnd() {
    let waiting = add("waiting")
    connections.wait(waiting, for: .seconds(10))
    connections.send(add("sending"), within: .seconds(20))
    connections.work(add("working"))
    let now = ContinuousClock.now
    connections.endOverdue(at: now + .seconds(5))
    #expect(endings.all.isEmpty)
    connections.endOverdue(at: now + .seconds(15))
    connections.endOverdue(at: now + .seconds(16))
    #expect(endings.all == ["waiting is told"])
    // It is told, and hasn't for ever either.
    connections.send(waiting, within: .seconds(5))
    connections.endOverdue(at: now + .seconds(40))
    #expect(endings.all == ["sending", "waiting", "waiting is told"])
  }

  @Test func closingEndsWhatWaits() {
    connections.wait(add("waiting"), for: .seconds(10))
    connections.work(add("working"))
    connections.close()
    #expect(endings.all == ["waiting"] && connections.isClosed)
    connections.endAll()
    #expect(endings.all == ["waiting", "working"])
  }
}
