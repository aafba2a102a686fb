import Foundation
import Images
import Pipelines
import Synchronization
import Training

/// Reads folders of pictures as squares of one size, for commands that look at whole sets.
struct SquareReading {
  /// A folder, and where the classes of its pictures are found.
  struct Folder {
    let path: String
    let labels: LatentSet.Labels
  }

  /// What was read, and what couldn't be.
  struct Result {
    let sets: [SquarePictures]
    let summary: RunSummary
  }

  let command: FileCommand
  let side: Int

  /// Reads all folders.
  ///
  /// - Precondition: there is one.
  /// - Throws: `InputError` for a folder without pictures, `SampleEvaluationError` for one of which
  ///   none can be read, `TrainingDataError` for classes that can't be told, `StatusError` for a
  ///   signal.
  func callAsFunction(_ folders: [Folder]) throws -> Result {
    let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))
    let lists = try folders.map { try InputWalker.expand([$0.path], extensions: extensions) }
    var all = lists[0]
    for list in lists.dropFirst() {
      all.files += list.files
      all.failures += list.failures
    }
    // Nothing is written: the plan only names the files.
    let files = all.files.map { PlannedFile(input: $0, outputPath: "") }
    let found = Mutex<[Image?]>([])
    let job = FileJob(
      read: { try FileReading.bytes(of: $0.input) },
      compute: { _, bytes in try Image(decoding: bytes) },
      pack: { [side] _, image in
        FileRun.Result(bytes: nil, note: image.square(side: side))
      })
    let summary = try command.process(
      files, all.failures, force: true, job, in: command.session(total: files.count)
    ) { _, outcome in
      let square: Image? = if case .done(let square) = outcome { square } else { nil }
      found.withLock { $0.append(square) }
    }
    if case .interrupted = summary.status { throw StatusError(status: summary.status) }
    var rest = found.withLock { $0 }[...]
    var sets: [SquarePictures] = []
    for (folder, list) in zip(folders, lists) {
      let read = zip(list.files, rest.prefix(list.files.count)).compactMap { file, square in
        square.map { (name: file.relativePath, square: $0) }
      }
      rest = rest.dropFirst(list.files.count)
      guard !read.isEmpty else {
        throw SampleEvaluationError.nothingReadable(
          path: folder.path, reasons: summary.failures.prefix(5).map { $0.description })
      }
      sets.append(
        try SquarePictures(
          path: folder.path, names: read.map(\.name), squares: read.map(\.square),
          labels: folder.labels))
    }
    return Result(sets: sets, summary: summary)
  }
}
