import Foundation
import Pipelines

/// Arguments that name tars instead of folders and files.
struct TarArguments {
  /// The tars and where their results go; empty for a stream.
  let files: [PlannedFile]
  /// What isn't there.
  let failures: [InputFailure]
  /// Where a single result comes from and goes to, if one of both is a stream.
  let stream: (source: TarSource, target: TarTarget, name: String)?
  /// The arguments with braces expanded.
  let input: InputOptions

  private static let standardStream = "-"

  /// What the arguments say; nil if they name no tar.
  ///
  /// - Throws: ``TarArgumentError``, `OutputPlanError`, `InputError`.
  init?(_ input: InputOptions, _ options: RunOptions) throws {
    var input = input
    input.inputs = try input.inputs.flatMap { argument in
      argument.contains("{") && !FileManager.default.fileExists(atPath: argument)
        && Self.isTar(argument) ? try BraceExpansion.expand(argument) : [argument]
    }
    let tars = input.inputs.filter { $0 == Self.standardStream || Self.isTar($0) }
    guard let first = tars.first else { return nil }
    if let other = input.inputs.first(where: { !tars.contains($0) }) {
      throw TarArgumentError.mixed(tar: first, other: other)
    }
    self.input = input
    let isToStandardOutput =
      input.output == Self.standardStream || input.output == nil && tars == [Self.standardStream]
    if isToStandardOutput {
      if options.json { throw TarArgumentError.jsonAndStream }
      if Terminal(descriptor: 1).isTerminal { throw TarArgumentError.terminal }
    }
    guard isToStandardOutput || tars.contains(Self.standardStream) else {
      stream = nil
      (files, failures) = try Self.plan(input)
      return
    }
    guard tars.count == 1 else { throw TarArgumentError.manyForOneStream(tars.count) }
    let isFromStandardInput = first == Self.standardStream
    let target: TarTarget
    if isToStandardOutput {
      target = .standardOutput
    } else {
      let output = input.output ?? ""
      guard OutputPlan.namesFile(output, extensions: ["tar"]) else {
        throw TarArgumentError.noName(output: output)
      }
      target = .file(output, OutputFolders())
    }
    (files, failures) = ([], [])
    stream = (
      isFromStandardInput ? .standardInput : .file(first), target,
      isFromStandardInput ? "standard input" : first
    )
  }

  private static func isTar(_ path: String) -> Bool {
    TarNames.isTar(path) && !InputWalker.isFolder(path)
  }

  private static func plan(_ input: InputOptions) throws -> ([PlannedFile], [InputFailure]) {
    let list = try InputWalker.expand(input.inputs, extensions: ["tar"])
    // Results aren't compressed as a whole: each .latent is.
    let files = list.files.map { file in
      var file = file
      file.relativePath = TarNames.withoutCompression(file.relativePath)
      return file
    }
    if let double = Dictionary(grouping: files, by: \.relativePath).first(where: { $1.count > 1 }) {
      throw TarArgumentError.sameName(double.value.prefix(2).map(\.path))
    }
    let plan = try OutputPlan(
      for: files, inputExtensions: ["tar"], output: input.output, outputExtensions: ["tar"])
    return (plan.files, list.failures)
  }
}

/// `shard-{0000..0099}.tar` and `{a,b}.tar`, as shells expand them; some programs pass them as they
/// stand.
enum BraceExpansion {
  private static let limit = 1_000_000

  /// The names that a pattern stands for; itself, if it has no braces.
  static func expand(_ pattern: String) throws(TarArgumentError) -> [String] {
    guard let open = pattern.firstIndex(of: "{"),
      let close = pattern[open...].firstIndex(of: "}")
    else { return [pattern] }
    let beginning = pattern[..<open]
    let body = pattern[pattern.index(after: open)..<close]
    guard let items = items(of: body) else { throw .braces(pattern) }
    let rests = try expand(String(pattern[pattern.index(after: close)...]))
    guard items.count * rests.count <= limit else { throw .braces(pattern) }
    return items.flatMap { item in rests.map { "\(beginning)\(item)\($0)" } }
  }

  private static func items(of body: Substring) -> [String]? {
    if body.contains("{") { return nil }
    if body.contains(",") {
      return body.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let ends = body.components(separatedBy: "..")
    guard ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first >= 0,
      last >= first, last - first < limit
    else { return nil }
    // Zeros before either end stand for so many digits.
    let isPadded = ends.contains { $0.count > 1 && $0.hasPrefix("0") }
    let width = isPadded ? max(ends[0].count, ends[1].count) : 0
    return (first...last).map { number in
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
  }
}

/// Why arguments that name tars make no sense.
enum TarArgumentError: Error, Equatable, CustomStringConvertible {
  case mixed(tar: String, other: String)
  case manyForOneStream(Int)
  case noName(output: String)
  case sameName([String])
  case jsonAndStream
  case terminal
  case sharedStream
  case braces(String)

  var description: String {
    switch self {
    case .mixed(let tar, let other):
      "\(tar) is a tar and \(other) isn't; a run takes either tars or files and folders: use two"
    case .manyForOneStream(let count):
      "a stream holds one tar, and there are \(count) inputs; give a folder with -o, and no -"
    case .noName(let output):
      "-o \(output): a tar from standard input has no name; give one that ends in .tar"
    case .sameName(let paths):
      "\(paths.joined(separator: " and ")) would become one tar; run them into two folders"
    case .jsonAndStream:
      "--json and the tar would both go to standard output; name the tar with -o"
    case .terminal:
      "the tar would go to the terminal; send it to a file with > or -o, or to another program"
    case .sharedStream:
      "a stream can't be shared: leave out --shard and --claim, and give each process its own"
    case .braces(let pattern):
      "\(pattern): {0000..0099} or {a,b} is expected within braces, of which no more than a million "
        + "names come"
    }
  }
}
