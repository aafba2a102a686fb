import Images
import Tensors

/// What a ``TrainingSession`` works on: steps, and what is measured, shown and kept of them.
protocol TrainingWork {
  /// The settings of such a run.
  associatedtype Settings: RunConfiguration
  /// What a step measured.
  associatedtype Report

  /// `lvae train` or the like.
  static var command: String { get }

  var settings: Settings { get }
  /// How many steps were made.
  var step: Int { get }
  /// How many examples a step is made with.
  var examplesPerStep: Int { get }
  /// Whether there are examples to validate with.
  var hasValidation: Bool { get }

  /// Begins to make batches ahead of their use, from the next step's on.
  mutating func start(notice: @escaping @Sendable (String) -> Void)

  /// Makes a step.
  mutating func makeStep() throws -> Report

  /// What the log keeps of some steps.
  ///
  /// - Precondition: there is one.
  func values(of reports: [Report]) -> [(name: String, value: Double)]

  /// Fills in what the line for people shows of a step.
  func show(_ report: Report, in line: inout ProgressLine)

  /// Measures the model as it is.
  ///
  /// - Parameters:
  ///   - isMeasuring: whether numbers are wanted.
  ///   - isSampling: whether pictures are wanted.
  /// - Returns: numbers for the log, whose names begin with `validation.`, and pictures.
  /// - Throws: what is wrong with the data.
  func validate(
    isMeasuring: Bool, isSampling: Bool
  ) throws -> (values: [(name: String, value: Double)], samples: Image?)

  /// What those pictures show.
  var samplesText: String { get }

  /// All that is trained, as the last step left it.
  var weights: [Tensor] { get }

  /// Everything that the next steps depend on.
  var checkpoint: TrainingCheckpoint { get throws }

  /// Rows for the head of the page about the run.
  func facts(in entries: [TrainingLog.Entry]) -> [(name: String, value: String)]

  /// What is charted, in this order; what the log doesn't have is left out.
  func charts(in entries: [TrainingLog.Entry]) -> [LineChart]

  /// Writes the model that the run delivers.
  ///
  /// - Parameters:
  ///   - folder: where.
  ///   - log: what was measured.
  ///   - notice: called with what a person should know.
  /// - Returns: fields of the run's result, beside its step.
  /// - Throws: an error that names the file that can't be written.
  func finish(
    in folder: RunFolder, log: [TrainingLog.Entry], notice: (String) -> Void
  ) throws -> JSONObject
}

/// What a run tells while it works.
public enum TrainingEvent: Sendable {
  /// Something that a person should know.
  case notice(String)
  /// A step was made.
  case progress(ProgressLine)
  /// Numbers were added to the log.
  case logged(TrainingLog.Entry)
}

/// How a run ended.
public enum TrainingEnd: Hashable, Sendable {
  /// All steps were made, and the model was written.
  case finished
  /// All was done before.
  case wasFinished
  /// It was asked to stop, and wrote a checkpoint.
  case stopped(step: Int)
}
