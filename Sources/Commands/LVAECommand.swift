import ArgumentParser
import Pipelines
import Schedulers
import Training

@main
struct LVAECommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lvae",
    abstract: "Pictures into the latents of a variational autoencoder, and back.",
    discussion: """
      `lvae encode photos -o latents` turns a folder of pictures into .latent files, `lvae decode \
      latents -o pictures` turns them back. `lvae demo` shows both with sample pictures. Without \
      --model, the built-in model photo is used.

      Exit status: 0 all done; 1 some inputs failed, all others were done; 2 the arguments make \
      no sense; 3 nothing could be done; 128 + N ended by signal N.
      """,
    version: Program.version,
    subcommands: [
      DemoCommand.self, EncodeCommand.self, DecodeCommand.self, MergeCommand.self,
      ExportCommand.self, ImportCommand.self, InspectCommand.self,
      VerifyCommand.self, EvalCommand.self, TrainCommand.self, DiffuseTrainCommand.self,
      DiffuseSampleCommand.self, DiffuseEvalCommand.self, ClassifierTrainCommand.self,
      SampleCommand.self, InterpolateCommand.self, TraverseCommand.self, ModelsCommand.self,
      DoctorCommand.self, BenchCommand.self,
    ] + servers)

  /// Part of the program unless it was built without the trait Studio.
  private static var servers: [any ParsableCommand.Type] {
    #if Studio
      [StudioCommand.self, ServeCommand.self]
    #else
      []
    #endif
  }

  /// Parses, runs, and ends with the exit status of the design instead of sysexits' numbers.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let status as StatusError {
      exit(withStatus: status.status)
    } catch {
      let code = exitCode(for: error)
      let message = fullMessage(for: error)
      if code == .success {
        print(message)
        exit(withStatus: .allDone)
      }
      let isParsing = code == .validationFailure
      StandardError.write(isParsing ? message : "lvae: \(error)")
      exit(withStatus: isParsing ? .usage : status(of: error))
    }
  }

  /// What the program ends with after an error.
  static func status(of error: any Error) -> ExitStatus { isUsage(error) ? .usage : .nothingDone }

  /// Whether arguments that could be parsed contradict each other, or the files that they name.
  private static func isUsage(_ error: any Error) -> Bool {
    switch error {
    case is OutputPlanError, is BenchmarkError, CodecError.noPosterior, ModelStoreError.badName,
      is TrainingSettingsError, ProcessGroupError.unevenBatch, ProcessGroupError.unsupported,
      GenerationError.noSuchChannel, GenerationError.tooManyComponents,
      is DiffusionError, SchedulerError.steps, SchedulerError.contradiction:
      true
    case is ShardError, ManifestError.noFolder, is ClaimError, is TarArgumentError: true
    default: false
    }
  }

  private static func exit(withStatus status: ExitStatus) -> Never {
    exit(withError: ExitCode(status.code))
  }
}

/// Ends the program with a status, when all has been said.
struct StatusError: Error {
  let status: ExitStatus
}
