/// Why processes can't train together.
public enum ProcessGroupError: Error, Hashable, Sendable {
  /// A launcher started several processes, and the library that connects them isn't there.
  case noLibrary(launcher: String, reason: String)
  /// The library isn't Open MPI: it lacks a symbol.
  case otherABI(library: String, missing: String)
  /// The launcher belongs to another MPI.
  case otherLauncher(variable: String, value: String)
  /// The library finds other processes than the launcher started, by one of its variables.
  case lost(variable: String, value: Int, found: Int)
  /// The library didn't start, or a message failed.
  case failed(reason: String)
  /// Examples can't be shared evenly.
  case unevenBatch(size: Int, count: Int)
  /// A setting whose result depends on the whole batch at once.
  case unsupported(setting: String)
  /// A process has other data, settings or weights than the first.
  case differs(what: String, step: Int)
}

extension ProcessGroupError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .noLibrary(let launcher, let reason):
      "\(launcher) says that several processes were started, and Open MPI's library can't be "
        + "loaded (\(reason)); install it (Debian: libopenmpi3), or give its path in LVAE_LIBMPI"
    case .otherABI(let library, let missing):
      "\(library) isn't Open MPI: it has no \(missing). Start the run with Open MPI's mpirun, or "
        + "give the path of its libmpi.so in LVAE_LIBMPI"
    case .otherLauncher(let variable, let value):
      "\(variable)=\(value): the processes were started by another MPI than Open MPI, and would "
        + "train alone, all in one folder; use Open MPI's mpirun, or srun --mpi=pmix"
    case .lost(let variable, let value, let found):
      "\(variable)=\(value), and Open MPI's library finds \(found) of the processes: it is another "
        + "version than the launcher's, or the variable was set by hand. Give the path of the right "
        + "libmpi.so in LVAE_LIBMPI, or unset the variable"
    case .failed(let reason):
      "the processes lost each other: \(reason); start the same command again, it goes on from "
        + "the last checkpoint"
    case .unevenBatch(let size, let count):
      "data.batch_size is \(size), which \(count) processes can't share evenly; set it to "
        + "\(max(1, size / count) * count) or start another number of processes"
    case .unsupported(let setting):
      "\(setting) needs the whole batch in one process; take another setting, or train with one "
        + "process and more threads"
    case .differs(let what, let step):
      "after step \(step) a process has other \(what) than the first; all need the same program, "
        + "settings and data, and the same kind of processor. The last checkpoint is good"
    }
  }
}
