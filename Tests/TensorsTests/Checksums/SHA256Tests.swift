import CKernels
import Tensors
import Testing

@Suite struct SHA256Tests {
  /// The examples of NIST for FIPS 180-4.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ])
  func sha256GivesTheDigestsOfNIST(message: String, digest: String) {
    #expect(SHA256.hexadecimal(of: Array(message.utf8)) == digest)
  }

  @Test func sha256DoesNotDependOnThePieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let whole = SHA256.hexadecimal(of: bytes)
    for size in [1, 7, 55, 56, 63, 64, 65, 127, 128, 999] {
      var hash = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        hash.update(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(hash.hexadecimal == whole, "pieces of \(size)")
    }
  }

  @Test func sha256OfEveryLengthIsThatOfThePortableBlocks() {
    for blockCount in [0, 1, 2, 3, 7, 16] {
      let bytes = (0..<64 * blockCount).map { UInt8(truncatingIfNeeded: $0 &* 77 &+ $0 >> 5) }
      var fast: [UInt32] = (0..<8).map { $0 &* 0x9E37_79B9 }
      var portable = fast
      unsafe lvae_sha256_blocks(&fast, bytes, blockCount)
      unsafe lvae_sha256_blocks_portable(&portable, bytes, blockCount)
      #expect(fast == portable, "\(blockCount) blocks")
    }
  }
}
