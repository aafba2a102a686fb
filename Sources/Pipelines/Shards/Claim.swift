import Dispatch
import Foundation
import Synchronization

/// The right to work on a part, which one process has at a time: a file that says so and is renewed
/// while it works.
///
/// A claim's file is made by `O_CREAT | O_EXCL`, so that one process gets it. It has a generation:
/// who takes a part over from a process that doesn't renew its claim makes the file of the next
/// generation, in the same way, so that of several that see it expired one wins. A process that finds
/// its file gone, or one of a later generation beside it, has lost the part and stops working on it.
/// (Results are whole files that are the same whoever writes them, so that nothing is lost or broken
/// where two work on one part for a while.)
///
/// Clocks aren't compared: a claim has expired for an observer that has seen it unchanged for the
/// time of ``ClaimFolder/expiry``, by its own clock that only goes forward. On the same machine, the
/// lock that its owner holds tells at once whether that lives.
package final class Claim: @unchecked Sendable {
  /// The part.
  package let shard: Shard
  /// Set when another process took the part over.
  package let isLost = StopFlag()
  private let folder: ClaimFolder
  private let generation: Int
  private let file: Mutex<FileDescriptor?>
  /// Safe to call from any thread.
  private let timer: any DispatchSourceTimer

  fileprivate init(
    _ shard: Shard, generation: Int, in folder: ClaimFolder, _ file: sending FileDescriptor
  ) {
    self.shard = shard
    self.generation = generation
    self.folder = folder
    self.file = Mutex(file)
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "lvae.claim"))
    let interval = folder.expiry / 4
    timer.schedule(deadline: .now() + interval, repeating: interval)
    timer.setEventHandler { [weak self] in self?.renew() }
    timer.resume()
  }

  deinit { timer.cancel() }

  /// Tells the others that this process lives, or finds that they have taken the part over.
  private func renew() {
    guard !isLost.isSet else { return }
    let found = try? folder.generations(of: shard)
    if let found, found.max() != generation { return isLost.set() }
    file.withLock { file in try? file?.write([0x2E].span) }
  }

  /// Gives the part back: it is done, or left to others.
  package func release() {
    timer.cancel()
    let isMine = (try? folder.generations(of: shard))?.max() == generation
    if !isMine { isLost.set() }
    file.withLock { $0 = nil }
    guard isMine else { return }
    for old in 1...generation { try? SystemCalls.remove(folder.path(of: shard, old)) }
  }
}

/// The claims on the parts of a run.
package final class ClaimFolder: Sendable {
  /// Where they lie.
  package let path: String
  /// After how many seconds without a sign of life a claim is void.
  package let expiry: Double
  private let clock: @Sendable () -> Double
  /// When each claim of others was seen to change last.
  private let seen = Mutex<[String: (size: Int, time: Double)]>([:])

  /// Claims in a folder, which is made.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - expiry: After how many seconds a claim that isn't renewed is void.
  ///   - clock: Seconds since any moment, which only go forward.
  /// - Throws: ``FileError``.
  package init(
    path: String, expiry: Double, clock: (@Sendable () -> Double)? = nil
  ) throws(FileError) {
    self.path = path
    self.expiry = expiry
    let origin = ContinuousClock.now
    self.clock = clock ?? { (ContinuousClock.now - origin).inSeconds }
    try SystemCalls.makeFolder(path)
  }

  fileprivate func path(of shard: Shard, _ generation: Int) -> String {
    PathText.join(path, "\(shard.index)-of-\(shard.count).\(generation)")
  }

  /// The generations of the claims on a part.
  fileprivate func generations(of shard: Shard) throws(FileError) -> [Int] {
    let beginning = "\(shard.index)-of-\(shard.count)."
    return try SystemCalls.entries(ofFolder: path).compactMap { entry in
      guard let name = String(validating: entry.name, as: UTF8.self), name.hasPrefix(beginning)
      else { return nil }
      return Int(name.dropFirst(beginning.count))
    }
  }

  /// Claims a part, unless another process has it.
  ///
  /// - Returns: The claim; nil if the part is somebody else's.
  /// - Throws: ``FileError`` if claims can't be written.
  package func claim(_ shard: Shard) throws(FileError) -> Claim? {
    let last = try generations(of: shard).max() ?? 0
    if last > 0, !hasExpired(path(of: shard, last)) { return nil }
    let path = path(of: shard, last + 1)
    let file: FileDescriptor
    do throws(FileError) {
      file = try FileDescriptor(creating: path)
    } catch {
      if error.code == SystemCalls.alreadyExists { return nil }
      throw error
    }
    // Others on this machine wait for it to see whether this process lives.
    _ = file.lock(waiting: true)
    try file.write(Array((Self.owner + "\n").utf8).span)
    return Claim(shard, generation: last + 1, in: self, file)
  }

  // MARK: Who has it

  /// This machine since it was started: locks are seen by all processes that run on it.
  private static let machine =
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
    .trimmingCharacters(in: .whitespacesAndNewlines) ?? ""

  private static var owner: String {
    "\(machine) \(ProcessInfo.processInfo.processIdentifier) \(ProcessInfo.processInfo.hostName)"
  }

  private func hasExpired(_ path: String) -> Bool {
    guard let size = (try? SystemCalls.status(of: path))?.byteCount else { return false }
    let now = clock()
    let unchanged = seen.withLock { seen -> Double in
      if let known = seen[path], known.size == size { return now - known.time }
      seen[path] = (size, now)
      return 0
    }
    return unchanged >= expiry || isDeadHere(path, size: size)
  }

  /// Whether the owner ran on this machine and has ended: its lock is free.
  private func isDeadHere(_ path: String, size: Int) -> Bool {
    guard !Self.machine.isEmpty, size > 0,
      let text = try? String(contentsOfFile: path, encoding: .utf8),
      text.hasPrefix(Self.machine + " "), let file = try? FileDescriptor(opening: path)
    else { return false }
    return file.lock(waiting: false)
  }
}
