/// What the system refused to do with a file or folder.
package struct FileError: Error, Equatable, Sendable {
  /// What was tried, as a verb: "write", "open", "list".
  package var action: String
  /// The file or folder, as the user would name it.
  package var path: String
  /// The system's error number (`errno`).
  package var code: Int32

  package init(_ action: String, _ path: String, code: Int32) {
    self.action = action
    self.path = path
    self.code = code
  }
}

extension FileError: CustomStringConvertible {
  package var description: String {
    let fact = "cannot \(action) \(path): \(SystemCalls.message(for: code))"
    guard let advice else { return fact }
    return "\(fact); \(advice)"
  }

  /// What to do about it, where that is known.
  private var advice: String? {
    switch code {
    case SystemCalls.noSpace:
      "free some space there or choose another folder with -o, then run the same command again"
    case SystemCalls.quotaExceeded:
      "your quota is used up: free some space or choose another folder with -o"
    case SystemCalls.readOnly: "choose a folder that can be written, with -o"
    case SystemCalls.noAccess, SystemCalls.notPermitted:
      "check who owns it and its permissions (ls -ld)"
    case SystemCalls.noSuchFile: "check the name"
    case SystemCalls.notAFolder: "a part of that path is a file, not a folder"
    case SystemCalls.isAFolder: "a folder stands where the file should go: remove or rename it"
    case SystemCalls.nameTooLong: "use shorter names"
    case SystemCalls.tooManyOpenFiles: "raise the limit of open files (ulimit -n)"
    case SystemCalls.inputOutput: "the disk or the network reports a fault: check it"
    default: nil
    }
  }
}
