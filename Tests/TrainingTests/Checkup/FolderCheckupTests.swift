import Foundation
import Images
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct FolderCheckupTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func add(_ name: String, _ bytes: [UInt8]) throws {
    try folder.add(name)
    try Data(bytes).write(to: URL(filePath: folder(name)))
  }

  private func findings() throws -> (checkup: FolderCheckup, findings: [String: Finding]) {
    var checkup = try FolderCheckup(of: folder.path, spatialFactor: 4)
    for file in checkup.files { checkup.examine(file) }
    for file in checkup.chosen(100) { _ = checkup.picture(of: file) }
    let found = checkup.findings(bytesPerPixel: 0.25, freeByteCount: 1000)
    return (checkup, Dictionary(uniqueKeysWithValues: found.map { ($0.check, $0) }))
  }

  @Test func plainPicturesAreFine() throws {
    try add("a/x.png", samplePicture(32, 24).encoded(as: .png()))
    try add("a/y.jpg", samplePicture(32, 24).encoded(as: .jpeg()))
    let (checkup, found) = try findings()
    #expect(found.values.allSatisfy { $0.level == .fine }, "\(found)")
    #expect(found.keys.sorted() == ["files", "space"] && checkup.decodedCount == 2)
    #expect(found["space"]?.message.hasPrefix("about 384 B for 2 latents") == true)
  }

  @Test func whatIsSpecialIsCounted() throws {
    try add("x.png", samplePicture(32, 24, .rgba).encoded(as: .png()))
    try add("x.webp", samplePicture(32, 24).encoded(as: .webPLossless))
    try add("deep.png", samplePicture(33, 24, .rgb, bitDepth: 16).encoded(as: .png()))
    try add("small.png", samplePicture(12, 24).encoded(as: .png()))
    let (_, found) = try findings()
    #expect(found["opacity"]?.message.hasPrefix("1 of 4 files have opacity (x.png)") == true)
    #expect(found["depth"]?.message.contains("(deep.png)") == true)
    #expect(found["size"]?.message.contains("(deep.png)") == true)
    #expect(found["tiny"]?.message.contains("(small.png)") == true)
    #expect(found["names"]?.message.contains("(x.*)") == true)
    #expect(found.values.allSatisfy { $0.level != .wrong })
  }

  @Test func filesThatCannotBeReadAreWrong() throws {
    let good = try samplePicture(64, 48).encoded(as: .png())
    try add("good.png", good)
    try add("cut.png", Array(good.prefix(good.count / 2)))
    try add("text.jpg", Array("text".utf8))
    let (checkup, found) = try findings()
    #expect(found["files"]?.level == .wrong)
    #expect(found["files"]?.message.hasPrefix("2 of 3 can't be read") == true)
    // A header is whole in a file that is cut off: only decoding tells.
    #expect(checkup.failures.map(\.path).map { $0.suffix(7) } == ["ext.jpg", "cut.png"])
    #expect(checkup.decodedCount == 1)
  }

  @Test func tooLittleSpaceIsWrong() throws {
    try add("x.png", samplePicture(80, 60).encoded(as: .png()))
    #expect(try findings().findings["space"]?.level == .wrong)
  }

  @Test(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
  func filesOfOtherProgramsAreTold() throws {
    var checkup = try FolderCheckup(
      of: SharedFiles.url("images/conformance/jpeg").path, spatialFactor: 8)
    for file in checkup.files { checkup.examine(file) }
    let found = checkup.findings(bytesPerPixel: nil, freeByteCount: nil)
    let inks = try #require(found.first { $0.check == "inks" })
    #expect(inks.message.contains("own_cmyk_adobe.jpg, pillow_pil_sample_cmyk.jpg"))
    #expect(found.contains { $0.check == "orientation" && $0.message.contains("portrait_2") })
    #expect(found.contains { $0.check == "profile" && $0.message.contains("imagers_cat.jpg") })
    #expect(!found.contains { $0.check == "space" })
  }
}
