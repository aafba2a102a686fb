import Foundation
import Tensors
import Training

/// Runs of training in the folders that the command line names.
enum RunEndpoints {
  static func add(to router: inout Router) {
    router.add("GET", "/api/runs", list)
    router.add("GET", "/api/runs/:id/log", log)
    router.add("GET", "/api/runs/:id/samples/:step", sample)
  }

  private static func list(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    return try await site.small.run(for: request.connection) { _ in
      let runs = site.folders.runs.map { run in
        var object: JSONObject = [
          "id": .string(run.identifier), "name": .string(run.folder.name),
          "path": .string(run.folder.path),
          "samples": JSONValue(sampleSteps(run.folder)),
        ]
        let result = run.folder.result()
        object["is_over"] = .boolean(result != nil)
        object["result"] = result.map { .object($0) }
        object["settings"] = settings(run.folder)
        return JSONValue.object(object)
      }
      return .json(["runs": .array(runs)])
    }
  }

  private static func settings(_ folder: RunFolder) -> JSONValue? {
    FileManager.default.contents(atPath: folder.settingsPath).flatMap {
      try? JSONParser.parse([UInt8]($0))
    }
  }

  /// As many lines of a log are sent at once.
  private static let lineLimit = 20_000

  /// The lines behind the first `after` ones.
  private static func log(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check(["after"])
    let first = try request.query.integer("after", in: 0...Int(Int32.max)) ?? 0
    let folder = try site.folders.run(request.parameter("id"))
    return try await site.small.run(for: request.connection) { _ in
      let entries = try TrainingLog.read(path: folder.logPath)
      let lines = entries.dropFirst(first).prefix(lineLimit).map(\.text).joined(separator: ",")
      let text =
        "{\"lines\":\(entries.count),\"is_over\":\(folder.result() != nil),"
        + "\"samples\":\(JSONValue(sampleSteps(folder)).text),\"entries\":[\(lines)]}"
      return Response(contentType: "application/json", bytes: Array(text.utf8))
    }
  }

  private static let samplePrefix = "step-"
  private static let sampleSuffix = ".png"

  /// The steps of which there are sample pictures, in order.
  private static func sampleSteps(_ folder: RunFolder) -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.samplesPath)) ?? []
    return names.compactMap(step(of:)).sorted()
  }

  private static func step(of name: String) -> Int? {
    guard name.hasPrefix(samplePrefix), name.hasSuffix(sampleSuffix) else { return nil }
    return Int(name.dropFirst(samplePrefix.count).dropLast(sampleSuffix.count))
  }

  private static func sample(_ request: Request, _ site: Site) async throws -> Response {
    try request.query.check([])
    let folder = try site.folders.run(request.parameter("id"))
    guard let wanted = Int(request.parameter("step")) else {
      throw Problem.notFound("samples are named by their step")
    }
    return try await site.small.run(for: request.connection) { _ in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.samplesPath)) ?? []
      guard let name = names.first(where: { step(of: $0) == wanted }),
        let bytes = FileManager.default.contents(atPath: "\(folder.samplesPath)/\(name)")
      else { throw Problem.notFound("there is no sample of step \(wanted)") }
      return Response(contentType: "image/png", bytes: [UInt8](bytes))
    }
  }
}
