import ArgumentParser

@main
struct LVAECommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lvae",
    abstract: "Compress pictures into the latents of a variational autoencoder, and back.")
}
