import Foundation
import Images
import TestSupport
import Testing
import Training

@Suite struct IDXFileTests {
  private let grey: [UInt8] = [
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6,
  ]
  /// `gzip -9n` of `grey`.
  private let compressed: [UInt8] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 99, 96, 224, 96, 102, 96,
    96, 96, 2, 98, 70, 32, 102, 102, 100, 98, 102, 97, 101, 3, 0, 176,
    67, 112, 254, 22, 0, 0, 0,
  ]

  @Test func picturesAreCutFromTheBlock() throws {
    let pictures = try IDXFile.pictures(decoding: grey, name: "x")
    #expect(pictures.map(\.samples) == [.eightBit([1, 2, 3]), .eightBit([4, 5, 6])])
    #expect(pictures[0].width == 3 && pictures[0].channels == .grey)
    let color = try IDXFile.pictures(
      decoding: [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6],
      name: "x")
    #expect(color[0].channels == .rgb && color[0].width == 2)
  }

  @Test func compressedFilesAreRead() throws {
    try withTemporaryFile(compressed) { (url: URL) throws in
      #expect(try IDXFile.pictures(path: url.path).count == 2)
    }
  }

  @Test func everyPrefixIsRefused() throws {
    for count in grey.indices {
      #expect(throws: TrainingDataError.self) {
        try IDXFile.pictures(decoding: Array(grey[..<count]), name: "x")
      }
    }
    for count in compressed.indices {
      try withTemporaryFile(Array(compressed[..<count])) { (url: URL) throws in
        #expect(throws: TrainingDataError.self) { try IDXFile.pictures(path: url.path) }
      }
    }
  }

  @Test func labelsHugeExtentsAndDamageAreRefused() throws {
    var labels = grey
    labels[3] = 1
    var huge = grey
    for index in 4..<16 { huge[index] = 255 }
    var damaged = compressed
    damaged[20] ^= 4
    for bytes in [labels, huge, damaged, grey + [0]] {
      try withTemporaryFile(bytes) { (url: URL) throws in
        #expect(throws: TrainingDataError.self) { try IDXFile.pictures(path: url.path) }
      }
    }
    #expect(throws: TrainingDataError.self) { try IDXFile.pictures(path: "/nowhere/x") }
  }

  @Test(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
  func fashionMNISTIsRead() throws {
    let path = SharedFiles.url("images/fashion-mnist/t10k-images-idx3-ubyte.gz").path
    let pictures = try TrainingData.source(path: path)
    #expect(pictures.count == 10_000)
    #expect(try pictures.picture(at: 9_999).width == 28)
  }
}
