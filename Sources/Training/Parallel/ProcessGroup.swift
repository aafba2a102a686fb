import CMPI
public import Foundation
import Glibc
import Tensors

/// The processes that train a model together, each with its share of every batch; as a rule one
/// alone.
///
/// Started by Open MPI's `mpirun`, or by `srun --mpi=pmix`, the processes find each other through
/// Open MPI's library, which is loaded only then.
///
/// It is `Sendable` so that trainers that hold it are; messages are sent by one thread only, the one
/// that made it.
@safe public final class ProcessGroup: @unchecked Sendable {
  /// Which of the processes this one is, from 0.
  public let rank: Int
  /// How many there are.
  public let count: Int
  /// How many of them run on this machine.
  public let localCount: Int
  private let mpi: OpaquePointer?

  /// One process, which needs nobody.
  public static let alone = ProcessGroup()

  private init() {
    (rank, count, localCount) = (0, 1, 1)
    unsafe mpi = nil
  }

  private init(_ mpi: OpaquePointer) {
    rank = unsafe Int(lvae_mpi_rank(mpi))
    count = unsafe Int(lvae_mpi_size(mpi))
    localCount = unsafe Int(lvae_mpi_local_size(mpi))
    unsafe self.mpi = mpi
  }

  /// The processes that were started together with this one.
  ///
  /// - Parameter environment: where launchers say what they started.
  /// - Returns: ``alone`` where nothing says that there are others.
  /// - Throws: ``ProcessGroupError`` where they can't be reached.
  public static func joined(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ProcessGroupError) -> ProcessGroup {
    guard let launcher = try launcher(in: environment) else { return alone }
    var status = LVAE_MPI_OPEN
    var detail = [CChar](repeating: 0, count: 512)
    let path = environment["LVAE_LIBMPI"]
    let mpi = unsafe lvae_mpi_open(path, &status, &detail, detail.count)
    if let mpi = unsafe mpi {
      let group = unsafe ProcessGroup(mpi)
      try group.check(startedBy: environment)
      return group
    }
    let reason = String(
      decoding: detail.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    switch status {
    case LVAE_MPI_NO_LIBRARY: throw .noLibrary(launcher: launcher, reason: reason)
    case LVAE_MPI_OTHER_ABI: throw .otherABI(library: path ?? "libmpi.so", missing: reason)
    default: throw .failed(reason: reason)
    }
  }

  /// The variable by which a launcher of Open MPI shows; nil without one.
  private static func launcher(
    in environment: [String: String]
  ) throws(ProcessGroupError) -> String? {
    if let size = environment["OMPI_COMM_WORLD_SIZE"] {
      return size == "1" ? nil : "OMPI_COMM_WORLD_SIZE"
    }
    if environment["PMIX_RANK"] != nil { return "PMIX_RANK" }
    for variable in ["PMI_SIZE", "MPI_LOCALNRANKS"] {
      if let value = environment[variable], let count = Int(value), count > 1 {
        throw .otherLauncher(variable: variable, value: value)
      }
    }
    return nil
  }

  /// A library that doesn't understand the launcher takes each process for one that runs alone.
  private func check(startedBy environment: [String: String]) throws(ProcessGroupError) {
    let size =
      environment["OMPI_COMM_WORLD_SIZE"] == nil ? "SLURM_STEP_NUM_TASKS" : "OMPI_COMM_WORLD_SIZE"
    let rules: [(variable: String, fits: (Int) -> Bool)] = [
      (size, { $0 == self.count }), ("PMIX_RANK", { $0 < self.count }),
    ]
    for (variable, fits) in rules {
      guard let value = environment[variable].flatMap({ Int($0) }), !fits(value) else { continue }
      leave()
      throw .lost(variable: variable, value: value, found: count)
    }
  }

  /// Whether this is the process that writes files and speaks to people.
  public var isFirst: Bool { rank == 0 }

  /// How many threads this process had better compute with.
  ///
  /// - Parameter available: how many processors it may use.
  /// - Returns: all of them where the launcher bound the process to some of the machine's; else its
  ///   share, at least 1.
  public func threadCount(of available: Int) -> Int {
    let isBound = available < ProcessInfo.processInfo.processorCount
    return isBound ? available : max(1, available / localCount)
  }

  /// Ends all processes.
  public func abort(status: Int32) -> Never {
    if let mpi = unsafe mpi { unsafe lvae_mpi_abort(mpi, status) }
    exit(status)
  }

  /// Leaves the others, when they leave, too; nothing can be sent any more.
  public func leave() {
    if let mpi = unsafe mpi { unsafe lvae_mpi_close(mpi) }
  }

  // MARK: Shares

  /// This process' part of what there is one of for each example of a batch.
  ///
  /// - Precondition: the processes can share them evenly.
  func share<Element>(of all: [Element]) -> [Element] {
    precondition(all.count % count == 0, "\(count) shares of \(all.count)")
    let size = all.count / count
    return Array(all[rank * size..<(rank + 1) * size])
  }

  /// This process' part of the normals of a batch, so that each example's noise is the same
  /// however many processes there are.
  ///
  /// - Parameters:
  ///   - shape: the part's, `[N, …]`.
  ///   - source: gives the whole batch's.
  /// - Returns: the part.
  func shareOfNormals(shape: Shape, using source: inout some RandomSource) -> Tensor {
    let size = shape[0]
    let whole = Shape([size * count] + shape.dimensions.dropFirst())
    return .randomNormal(shape: whole, using: &source).images(rank * size..<(rank + 1) * size)
  }

  /// The number of this process' part of a batch, where parts are counted through the run.
  func part(ofBatch number: Int) -> Int { number * count + rank }

  // MARK: Sums

  /// Numbers, each summed over all processes, which all ask for as many.
  ///
  /// - Throws: ``ProcessGroupError/failed(reason:)``.
  func sum(_ values: [Double]) throws(ProcessGroupError) -> [Double] {
    guard let mpi = unsafe mpi, count > 1 else { return values }
    let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: values.count)
    defer { unsafe memory.deallocate() }
    _ = unsafe memory.initialize(from: values)
    var request: lvae_mpi_request?
    let status = unsafe lvae_mpi_start_sum_double(
      mpi, memory.baseAddress, Int32(values.count), &request)
    guard status == 0 else { throw .failed(reason: "error \(status) of MPI_Iallreduce") }
    while try unsafe !isDone(&request) { rest() }
    return unsafe Array(memory)
  }

  /// The mean of each number over all processes.
  ///
  /// - Throws: ``ProcessGroupError/failed(reason:)``.
  func mean(_ values: [Double]) throws(ProcessGroupError) -> [Double] {
    try sum(values).map { $0 / Double(count) }
  }

  /// Whether it is so for any of the processes.
  ///
  /// - Throws: ``ProcessGroupError/failed(reason:)``.
  func any(_ condition: Bool) throws(ProcessGroupError) -> Bool {
    count > 1 ? try sum([condition ? 1 : 0])[0] > 0 : condition
  }

  /// Waits until all processes have come here.
  ///
  /// - Throws: ``ProcessGroupError/failed(reason:)``.
  func meet() throws(ProcessGroupError) { _ = try sum([0]) }

  /// Refuses to go on with processes that have another digest of something than the first.
  ///
  /// - Throws: ``ProcessGroupError``.
  func checkAgreement(
    _ digest: SHA256, of what: String, step: Int
  ) throws(ProcessGroupError) {
    guard count > 1 else { return }
    let bytes = digest.digest.map(Double.init)
    let first = try sum(bytes.map { isFirst ? $0 : 0 })
    if try any(first != bytes) { throw .differs(what: what, step: step) }
  }

  /// Starts a sum of floats in place.
  func startSum(
    _ values: UnsafeMutableBufferPointer<Float>
  ) throws(ProcessGroupError) -> lvae_mpi_request? {
    var request: lvae_mpi_request?
    guard let mpi = unsafe mpi else { return nil }
    let status = unsafe lvae_mpi_start_sum(
      mpi, values.baseAddress, Int32(values.count), &request)
    guard status == 0 else { throw .failed(reason: "error \(status) of MPI_Iallreduce") }
    return unsafe request
  }

  /// Whether a sum is done; asking drives it on.
  func isDone(_ request: inout lvae_mpi_request?) throws(ProcessGroupError) -> Bool {
    guard let mpi = unsafe mpi else { return true }
    let status = unsafe lvae_mpi_is_done(mpi, &request)
    guard status >= 0 else { throw .failed(reason: "an error of MPI_Test") }
    return status > 0
  }

  /// Leaves the processor to others for a moment: processes may wait long, while the first measures.
  func rest() { usleep(50) }
}
