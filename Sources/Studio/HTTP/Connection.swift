import Glibc

/// The other end of a request, to learn whether somebody still waits for the answer.
///
/// The server doesn't read from a connection while it computes, so a client that goes away isn't
/// noticed there. This looks at the socket itself: at its end, or after an error, nothing can be
/// read from it, and nothing is taken from it by looking.
package struct Connection: Sendable {
  /// The peer's address as text, and its port; nil for requests without a socket.
  private let peer: Peer?
  private let descriptor: Int32

  /// An address and a port.
  package struct Peer: Hashable, Sendable {
    var address: String
    var port: UInt16
  }

  /// Of a request that has no socket.
  package static let none = Connection(peer: nil, descriptor: -1)

  /// The connection of this peer among the process's sockets.
  package init(to peer: Peer) {
    self.peer = peer
    descriptor = (3..<Self.descriptorLimit).first { Self.peer(of: $0) == peer } ?? -1
  }

  private init(peer: Peer?, descriptor: Int32) {
    self.peer = peer
    self.descriptor = descriptor
  }

  /// As many descriptors are looked at.
  private static let descriptorLimit: Int32 = 1024

  /// Whether the client has closed its end.
  package var isGone: Bool {
    guard let peer, descriptor >= 0 else { return false }
    // Closed here too, and perhaps given to somebody else.
    guard Self.peer(of: descriptor) == peer else { return true }
    var byte: UInt8 = 0
    let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    if count > 0 { return false }
    return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
  }

  private static func peer(of descriptor: Int32) -> Peer? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getpeername(descriptor, $0, &length)
      }
    }
    guard status == 0 else { return nil }
    return unsafe withUnsafePointer(to: storage) { pointer in
      switch Int32(unsafe pointer.pointee.ss_family) {
      case AF_INET:
        return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          var address = unsafe $0.pointee.sin_addr
          return Peer(
            address: unsafe text(AF_INET, &address),
            port: UInt16(bigEndian: unsafe $0.pointee.sin_port))
        }
      case AF_INET6:
        return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          var address = unsafe $0.pointee.sin6_addr
          return Peer(
            address: unsafe text(AF_INET6, &address),
            port: UInt16(bigEndian: unsafe $0.pointee.sin6_port))
        }
      default: return nil
      }
    }
  }

  private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String {
    var bytes = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard unsafe inet_ntop(family, address, &bytes, socklen_t(bytes.count)) != nil else {
      return ""
    }
    return String(
      decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
