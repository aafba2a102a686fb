package import Foundation

/// An input and the file that is made of it.
package struct PlannedFile: Hashable, Sendable {
  /// What is read.
  package var input: InputFile
  /// Where the result goes.
  package var outputPath: String

  package init(input: InputFile, outputPath: String) {
    self.input = input
    self.outputPath = outputPath
  }

  /// Where the result goes, as a URL.
  package var outputURL: URL { URL(filePath: outputPath, directoryHint: .notDirectory) }
}

/// Why inputs can't be matched with outputs: a mistake in the arguments.
package enum OutputPlanError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `-o` names one file, and there are several inputs.
  case oneFileForManyInputs(output: String, inputCount: Int)
  /// The file to be written is one of those to be read.
  case overwritesInput(output: String)
  /// `-o` should be a folder, and is a file.
  case outputIsAFile(output: String, extensions: [String])

  package var description: String {
    switch self {
    case .oneFileForManyInputs(let output, let count):
      "-o \(output) names one file and there are \(count) inputs; give a folder"
    case .overwritesInput(let output):
      "\(output) would be overwritten, and it is an input; choose another place with -o"
    case .outputIsAFile(let output, let extensions):
      "-o \(output) is a file; give a folder, or a name that ends in "
        + extensions.map { ".\($0)" }.joined(separator: " or ")
    }
  }
}

/// Which input becomes which output.
///
/// An output is called as its input with another extension: `photo.jpg` → `photo.latent` →
/// `photo.png`. It lies beside its input or, with an output folder, at the same place below that.
///
/// Two inputs never share an output. If `photo.jpg` and `photo.png` lie in one folder, *both* keep
/// their extension: `photo.jpg.latent` and `photo.png.latent` (then `photo.jpg.png` and
/// `photo.png.png`). The same holds for an input whose name without extension is the whole name of
/// another one. So a name depends on the inputs in its folder, and not on their order or on what
/// has been written already. Part the files into shards after planning all of them.
package struct OutputPlan: Sendable {
  /// The files, in the order of the inputs.
  package let files: [PlannedFile]

  /// Plans where the results go.
  ///
  /// - Parameters:
  ///   - inputs: The inputs, from ``InputWalker``.
  ///   - inputExtensions: The extensions that an input's name loses: lower case, without dot.
  ///   - output: What `-o` says: a folder, or if it ends in one of `outputExtensions` and is no
  ///     folder, the one file to write. Nil: beside the inputs.
  ///   - outputExtensions: The extension of the results first, then others that mean the same
  ///     (`["jpg", "jpeg"]`).
  /// - Throws: ``OutputPlanError``.
  /// - Precondition: `outputExtensions` is not empty.
  package init(
    for inputs: [InputFile], inputExtensions: Set<String>, output: String?,
    outputExtensions: [String]
  ) throws(OutputPlanError) {
    precondition(!outputExtensions.isEmpty, "an output has an extension")
    if let output, Self.namesFile(output, extensions: outputExtensions) {
      guard inputs.count <= 1 else {
        throw .oneFileForManyInputs(output: output, inputCount: inputs.count)
      }
      files = inputs.map { PlannedFile(input: $0, outputPath: output) }
    } else {
      if let output, let found = try? SystemCalls.status(of: output), found.kind != .folder {
        throw .outputIsAFile(output: output, extensions: outputExtensions)
      }
      let wanted = inputs.map { input in
        output.map { PathText.join($0, input.relativePath) } ?? input.path
      }
      let keeps = Self.keepsExtension(
        inputs, besideInputs: output == nil, inputExtensions: inputExtensions)
      files = zip(inputs, zip(wanted, keeps)).map { input, name in
        let stem = name.1 ? name.0 : PathText.removingExtension(name.0, of: inputExtensions)
        return PlannedFile(input: input, outputPath: "\(stem).\(outputExtensions[0])")
      }
    }
    try Self.refuseOverwriting(files)
  }

  /// Whether `output` names a file rather than a folder.
  package static func namesFile(_ output: String, extensions: [String]) -> Bool {
    guard let found = PathText.fileExtension(of: output), extensions.contains(found) else {
      return false
    }
    return (try? SystemCalls.status(of: output))?.kind != .folder
  }

  /// Which inputs keep their extension, since without it two would come together.
  private static func keepsExtension(
    _ inputs: [InputFile], besideInputs: Bool, inputExtensions: Set<String>
  ) -> [Bool] {
    var names = PlaceNames()
    // One folder can be written in several ways: `a` and `./a`.
    let places = inputs.map { besideInputs ? names.place(of: $0.path) : $0.relativePath }
    let stems = places.map { PathText.removingExtension($0, of: inputExtensions) }
    var stemCounts: [String: Int] = [:]
    for stem in stems { stemCounts[stem, default: 0] += 1 }
    let wholeNames = Set(places)
    return stems.map { stemCounts[$0, default: 0] > 1 || wholeNames.contains($0) }
  }

  /// - Throws: ``OutputPlanError/overwritesInput(output:)``.
  private static func refuseOverwriting(_ files: [PlannedFile]) throws(OutputPlanError) {
    var places = PlaceNames()
    let inputs = Set(files.map { places.place(of: $0.input.path) })
    for file in files where inputs.contains(places.place(of: file.outputPath)) {
      throw .overwritesInput(output: file.outputPath)
    }
  }
}

/// Names files by the real path of their folder, asked once for each folder.
private struct PlaceNames {
  private var realFolders: [String: String] = [:]

  mutating func place(of path: String) -> String {
    let folder = PathText.parent(of: path) ?? "/"
    let real: String
    if let known = realFolders[folder] {
      real = known
    } else {
      // A folder that is not there holds no input.
      real = (try? SystemCalls.realPath(of: folder)) ?? "(new)/\(folder)"
      realFolders[folder] = real
    }
    return PathText.join(real, PathText.name(of: path))
  }
}
