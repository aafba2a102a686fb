import Testing

import Studio

@Suite struct HeldBytesTests {
  @Test func bytesAreCountedUntilTheyAreGone() {
    let held = HeldBytes(limit: 100)
    var hold: HeldBytes.Hold? = held.hold()
    #expect(hold?.add(60) == true && held.count == 60)
    let other = held.hold()
    #expect(other.add(40) && held.isFull)
    #expect(!other.add(1) && held.count == 101)
    other.release()
    #expect(held.count == 60 && !held.isFull)
    hold = nil
    #expect(held.count == 0)
  }

  @Test func whileTheyAreTooManyOnlyTheStateIsAnswered() async throws {
    let site = try makeSite()
    let hold = site.held.hold()
    hold.add(site.settings.limits.heldByteCount)
    let refused = try await site.ask("GET", "/api/samples")
    #expect(refused.status == 429 && refused.headers.contains { $0.0 == "Retry-After" })
    #expect(try await site.ask("GET", "/healthz").status == 200)
    #expect(try await site.ask("GET", "/metrics").status == 200)
    hold.release()
    #expect(try await site.ask("GET", "/api/samples").status == 200)
  }
}
