import Foundation
import Images
import LatentFiles
import Pipelines
import Studio
import Tensors
import TestSupport
import Testing
import Training

@Suite struct FolderEndpointsTests {
  private let folder: TemporaryFolder
  private let site: Site

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    let picture = try pngFile()
    let codec = LatentCodec(try #require(try EmbeddedModels.load("emoji")))
    let latent = try codec.encode(Image(decoding: picture)).encoded()
    func write(_ bytes: [UInt8], _ name: String) throws {
      let url = URL(filePath: folder(name))
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }
    try write(picture, "seen/a.png")
    try write(latent, "seen/below/b.latent")
    try write([1, 2, 3], "seen/c.txt")
    try write(picture, "hidden/secret.png")
    try write(
      Array("{\"step\":20,\"loss\":0.5}\n{\"step\":40,\"loss\":0.25}\n".utf8),
      "runs/first/training/log.jsonl")
    try write(picture, "runs/first/training/samples/step-000000040.png")
    let path = folder.path
    site = try makeSite {
      $0.folders = ["\(path)/seen", "\(path)/runs"]
      $0.workspace = "\(path)/workspace"
    }
  }

  private func list() async throws -> [String: String] {
    guard case .array(let files)? = try await site.ask("GET", "/api/files").json["files"] else {
      return [:]
    }
    var found: [String: String] = [:]
    for case .object(let file) in files {
      if case .string(let name)? = file["name"], case .string(let id)? = file["id"] {
        found[name] = id
      }
    }
    return found
  }

  @Test func onlyNamedFoldersAreSeen() async throws {
    let names = try await list().keys
    #expect(
      names.contains { $0.hasSuffix("a.png") } && names.contains { $0.hasSuffix("below/b.latent") })
    #expect(!names.contains { $0.contains("secret") || $0.hasSuffix(".txt") })
  }

  @Test func filesAreReachedByIdentifierAlone() async throws {
    let files = try await list()
    let id = try #require(files.first { $0.key.hasSuffix("a.png") }?.value)
    #expect(try await site.ask("GET", "/api/files/\(id)/content").bytes == pngFile())
    for name in ["a.png", "..%2Fhidden%2Fsecret.png", "0123456789abcdef0123", "%2Fetc%2Fpasswd"] {
      #expect(try await site.ask("GET", "/api/files/\(name)/content").status == 404)
    }
  }

  @Test func aLatentsThumbnailIsItsProjection() async throws {
    let files = try await list()
    let id = try #require(files.first { $0.key.hasSuffix("b.latent") }?.value)
    let thumbnail = try Image(
      decoding: await site.ask("GET", "/api/files/\(id)/thumbnail").bytes)
    #expect(thumbnail.width == 12 && thumbnail.height == 10)
    let small = try Image(decoding: pngFile()).resized(width: 12, height: 10)
    #expect(thumbnail.peakSignalToNoiseRatio(to: small) > 18)
    let facts = try await site.ask("GET", "/api/files/\(id)").json
    #expect(facts["kind"] == .string("latent"))
    #expect(facts["header"] != nil)
  }

  @Test func aPicturesThumbnailIsSmall() async throws {
    let files = try await list()
    let id = try #require(files.first { $0.key.hasSuffix("a.png") }?.value)
    let answer = try await site.ask("GET", "/api/files/\(id)/thumbnail")
    #expect(answer.contentType == "image/jpeg")
    #expect(try Image(decoding: answer.bytes).width == 48)
  }

  @Test func theWorkspaceTakesNewFilesAlone() async throws {
    func save(_ name: String) async throws -> Int {
      try await site.ask("POST", "/api/workspace/\(name)", body: [1, 2, 3]).status
    }
    #expect(try await save("a.latent") == 201)
    #expect(FileManager.default.contents(atPath: folder("workspace/a.latent")) == Data([1, 2, 3]))
    #expect(try await save("a.latent") == 409)
    for name in [".latent", "a.sh", "a", "..%2Fa.latent", "%2e%2e", "a%00.latent"] {
      #expect([400, 404].contains(try await save(name)))
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("workspace")) == ["a.latent"])
  }

  @Test func nothingIsWrittenWithoutAWorkspace() async throws {
    #expect(try await makeSite().ask("POST", "/api/workspace/a.latent", body: [1]).status == 404)
  }

  @Test func runsAreReadWhileTheyGoOn() async throws {
    guard case .array(let runs)? = try await site.ask("GET", "/api/runs").json["runs"],
      case .object(let run)? = runs.first, case .string(let id)? = run["id"]
    else {
      Issue.record("no runs")
      return
    }
    #expect(runs.count == 1 && run["name"] == .string("first"))
    #expect(run["is_over"] == .boolean(false))
    let all = try await site.ask("GET", "/api/runs/\(id)/log").json
    #expect(all["lines"] == .number("2") && all["samples"] == .array([.number("40")]))
    let handle = try #require(FileHandle(forWritingAtPath: folder("runs/first/training/log.jsonl")))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("{\"step\":60,\"loss\":0.125}\n{\"step\":8".utf8))
    try handle.close()
    let new = try await site.ask("GET", "/api/runs/\(id)/log?after=2").json
    #expect(new["entries"] == .array([.object(["step": .number("60"), "loss": .number("0.125")])]))
    #expect(try await site.ask("GET", "/api/runs/\(id)/samples/40").bytes == pngFile())
    #expect(try await site.ask("GET", "/api/runs/\(id)/samples/41").status == 404)
  }

  @Test func aFolderThatIsNoneIsRefusedAtTheStart() {
    #expect(throws: StudioError.noFolder("/nowhere")) {
      try makeSite { $0.folders = ["/nowhere"] }
    }
  }
}
