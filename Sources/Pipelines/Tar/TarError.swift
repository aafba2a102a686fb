/// Why a tar can't be read.
package enum TarError: Error, Hashable, Sendable {
  /// It isn't there, or isn't a tar.
  case unreadable(path: String, reason: String)
  /// It ends before its end.
  case cutOff(path: String, wholeCount: Int)
  /// It contradicts its format.
  case damaged(path: String, wholeCount: Int, reason: String)
  /// A member's name leads out of the folder that the tar stands for.
  case unsafeName(path: String, member: String)
  /// A member's name isn't UTF-8.
  case undecodableName(path: String, number: Int)
  /// A member is larger than the limit.
  case tooLarge(path: String, member: String, byteCount: Int, limit: Int)
  /// There are more members than the limit.
  case tooMany(path: String, limit: Int)
  /// It is compressed as a whole, so that members have no place of their own.
  case compressed(path: String)
  /// A member's zeros are left out.
  case sparse(path: String, member: String)
  /// A member is a link or a device, where only files are taken.
  case notAFile(path: String, member: String, kind: String)
  /// It holds no file of those that were looked for.
  case holdsNone(path: String, extensions: [String])
  /// Two members have one name.
  case duplicate(path: String, member: String)
}

extension TarError: CustomStringConvertible {
  /// What is wrong, and what to do.
  package var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): cannot be read as a tar: \(reason)"
    case .cutOff(let path, let count):
      "\(path): the tar is cut off; its first \(count) members are whole. Copy or pack it again"
    case .damaged(let path, let count, let reason):
      "\(path): the tar is damaged behind its first \(count) members: \(reason). Copy or pack it "
        + "again"
    case .unsafeName(let path, let member):
      "\(path): the member \(member) would lie outside of the folder; pack names without a leading "
        + "/ and without .."
    case .undecodableName(let path, let number):
      "\(path): the name of member \(number) is not UTF-8; rename it and pack again"
    case .tooLarge(let path, let member, let byteCount, let limit):
      "\(path): the member \(member) has \(byteCount) bytes, and the limit is \(limit)"
    case .tooMany(let path, let limit):
      "\(path): it has more than \(limit) members; split it into several"
    case .compressed(let path):
      "\(path): the tar is compressed, so its members can't be read in any order; decompress it "
        + "(gunzip, unzstd, unxz)"
    case .sparse(let path, let member):
      "\(path): the member \(member) is stored with holes; pack it without --sparse"
    case .notAFile(let path, let member, let kind):
      "\(path): the member \(member) is \(kind), and only files and folders are taken; pack what it "
        + "stands for (tar --dereference --hard-dereference)"
    case .holdsNone(let path, let extensions):
      "\(path): the tar holds no file that ends in "
        + "\(extensions.map { ".\($0)" }.joined(separator: ", ")); is it another tar that you mean?"
    case .duplicate(let path, let member):
      "\(path): there would be two members \(member); give one of them another name and pack again"
    }
  }
}
