import TestSupport
import Testing

@Suite struct LVAECommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  @Test func withoutArgumentsTheCommandsAreShown() throws {
    let run = try work.lvae()
    #expect(run.status == 0 && run.errors.isEmpty)
    for command in [
      "demo", "encode", "decode", "inspect", "verify", "sample", "interpolate", "traverse",
      "doctor", "models",
    ] {
      #expect(run.output.contains("\n  \(command) "))
    }
    #expect(try work.lvae("--help").output == run.output)
    #expect(try work.lvae("--version").output == "0.1.0\n")
  }

  @Test(arguments: [
    ["demo"], ["encode"], ["decode"], ["inspect"], ["verify"], ["train"], ["sample"],
    ["interpolate"], ["traverse"], ["doctor"], ["models"],
    ["models", "add"],
    ["models", "export"],
  ])
  func everyCommandExplainsItself(_ command: [String]) throws {
    let run = try work.start(command + ["--help"]).result()
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.contains("USAGE: lvae \(command.joined(separator: " ")) "))
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  @Test(arguments: [
    (["frobnicate"], "frobnicate"), (["encode"], "Missing expected argument '<inputs> ...'"),
    (["encode", "in", "--storage", "int3"], "int3"),
    (["encode", "in", "--model", "kl", "--no-such"], "--no-such"),
    (["decode", "in", "--format", "gif"], "gif"),
    (["decode", "in", "--threads", "0"], "--threads"),
    (["encode", "in", "--shard", "1"], "--shard"),
    (["verify", "in", "--min-psnr", "1"], "--source"),
    (["models", "export", "kl", "-o", "x", "--dtype", "F8"], "F8"),
  ])
  func argumentsThatMakeNoSenseEndWith2(_ arguments: [String], _ message: String) throws {
    let run = try work.start(arguments).result()
    #expect(run.status == 2)
    #expect(run.output.isEmpty && run.errors.contains(message), "\(run.errors)")
  }

  @Test(arguments: [
    ("nosuch", "there is neither a model nor a file called nosuch"),
    ("./nosuch", "nosuch"), ("in", "in: no model is recognised here"),
    ("in/x.png", "in/x.png"),
  ])
  func aModelThatCannotBeLoadedIsNamed(_ model: String, _ message: String) throws {
    try work.add("in/x.png")
    let run = try work.lvae("encode", "in", "-o", "L", "--model", model)
    #expect(run.status == 3)
    #expect(run.errors.hasPrefix("lvae: ") && run.errors.contains(message), "\(run.errors)")
    #expect(!work.exists("L"))
  }
}
