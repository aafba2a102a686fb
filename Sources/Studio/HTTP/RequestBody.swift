package import Foundation

/// What a request sends along: read once, piece by piece, and never more than a limit.
package actor RequestBody {
  /// Reads the next piece; nil at the end.
  package typealias Source = @Sendable () async throws -> Data?

  /// How many bytes were announced; nil if that isn't known.
  package nonisolated let announcedByteCount: Int?
  /// What counts its bytes, and those of its answer, until both are gone.
  package nonisolated let hold: HeldBytes.Hold
  private let source: Source
  private var isRead = false
  /// How many bytes were read.
  private(set) var byteCount = 0

  /// How long a client may take for the whole.
  private static let timeLimit = Duration.seconds(120)
  /// How much of a body that nobody wants is read, and how long, so that the client hears why.
  private static let discarded = (byteCount: 256 << 20, time: Duration.seconds(20))

  package init(
    announcedByteCount: Int?, hold: HeldBytes.Hold = HeldBytes(limit: .max).hold(),
    source: @escaping Source
  ) {
    self.announcedByteCount = announcedByteCount
    self.hold = hold
    self.source = source
  }

  /// All bytes.
  ///
  /// - Throws: ``Problem`` 413 beyond `limit`, before memory is taken for them where the size was
  ///   announced, 429 where all requests together hold too much, 408 for a client that takes too
  ///   long, and ``Problem/abandoned``.
  package func bytes(limit: Int) async throws -> [UInt8] {
    if let announcedByteCount, announcedByteCount > limit {
      throw Problem.tooLarge(
        "\(announcedByteCount) bytes are sent, and at most \(limit) are taken")
    }
    do {
      return try await Self.within(Self.timeLimit) {
        var bytes: [UInt8] = []
        while let piece = try await self.next() {
          guard bytes.count + piece.count <= limit else {
            throw Problem.tooLarge("more than \(limit) bytes are sent")
          }
          guard self.hold.add(piece.count) else { throw Problem.full }
          bytes.append(contentsOf: piece)
        }
        return bytes
      }
    } catch {
      hold.release()
      throw error
    }
  }

  /// Reads what is left, so that the connection can go on; says whether all of it came.
  package func discard() async -> Bool {
    if isRead || announcedByteCount == 0 { return true }
    let result = try? await Self.within(Self.discarded.time) {
      var count = 0
      while let piece = try await self.next() {
        count += piece.count
        if count > Self.discarded.byteCount { return false }
      }
      return true
    }
    return result ?? false
  }

  private func next() async throws -> Data? {
    guard !isRead else { return nil }
    let piece: Data?
    do {
      piece = try await source()
    } catch let problem as Problem {
      throw problem
    } catch {
      // The connection broke off, or nobody waits any more.
      throw Problem.abandoned
    }
    byteCount += piece?.count ?? 0
    if piece == nil { isRead = true }
    return piece
  }

  private static func within<Result: Sendable>(
    _ time: Duration, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
      group.addTask { try await body() }
      group.addTask {
        // The system keeps a cancelled sleep's timer until its end: short ones are soon gone.
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline { try await Task.sleep(for: .seconds(1)) }
        throw Problem(status: 408, detail: "the request's body came too slowly; try again")
      }
      defer { group.cancelAll() }
      guard let result = try await group.next() else { throw CancellationError() }
      return result
    }
  }
}
