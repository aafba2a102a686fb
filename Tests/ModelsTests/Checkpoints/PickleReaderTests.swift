import Models
import TestSupport
import Testing

struct PickleReaderTests {
  private func read(_ bytes: [UInt8]) throws(TorchArchiveError) -> PickleValue {
    var reader = PickleReader(bytes, source: "test")
    return try reader.readPickle()
  }

  private func problem(_ bytes: [UInt8]) -> TorchArchiveError.Problem? {
    do {
      _ = try read(bytes)
      return nil
    } catch {
      return error.problem
    }
  }

  @Test(arguments: [
    ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"),
    ("torch", "load"), ("torch.storage", "_load_from_bytes"), ("subprocess", "Popen"),
    ("collections", "OrderedDict.fromkeys"), ("numpy", "dtype"),
  ])
  func aForbiddenGlobalIsRefusedByName(_ module: String, _ name: String) {
    let call = Pickle.global(module, name) + Pickle.tuple(Pickle.string("echo")) + Pickle.text("R")
    #expect(problem(Pickle.whole(call)) == .forbiddenGlobal(module: module, name: name))
    let stacked = Pickle.string(module) + Pickle.string(name) + [0x93]
    #expect(problem(Pickle.whole(stacked)) == .forbiddenGlobal(module: module, name: name))
  }

  @Test func theErrorSaysThatNothingWasExecuted() {
    let error = TorchArchiveError(
      source: "model.pt", problem: .forbiddenGlobal(module: "os", name: "system"))
    #expect(
      error.description.hasPrefix("model.pt: the pickle wants to use os.system, which weights"))
  }

  @Test(arguments: ["i", "o", "P", "I", "L", "S", "V", "F", "g", "p", "\u{1}"])
  func instructionsThatWeightsDoNotNeedAreRefused(_ opcode: String) {
    #expect(problem(Pickle.whole(Pickle.text("(\(opcode)os\nsystem\n"))) != nil)
  }

  @Test(arguments: [0x82, 0x83, 0x84, 0x8F, 0x90, 0x91, 0x92, 0x96, 0x97, 0x98, 0xFF])
  func newerInstructionsAreRefused(_ opcode: Int) {
    #expect(problem(Pickle.whole([UInt8(opcode), 1, 1, 1, 1, 1, 1, 1, 1])) != nil)
  }

  @Test func numbersHaveTheirValues() throws {
    func integer(_ bytes: [UInt8]) throws -> Int? {
      if case .integer(let value) = try read(Pickle.whole(bytes)) { value } else { nil }
    }
    #expect(try integer([0x4B, 255]) == 255)
    #expect(try integer([0x4D, 0xFF, 0xFF]) == 65535)
    #expect(try integer(Pickle.integer(-2)) == -2)
    #expect(try integer([0x8A, 0]) == 0)
    #expect(try integer([0x8A, 1, 0xFF]) == -1)
    #expect(try integer([0x8A, 5, 0, 0, 0, 0, 1]) == 1 << 32)
    guard case .number(2.5) = try read(Pickle.whole([0x47, 0x40, 4, 0, 0, 0, 0, 0, 0])) else {
      Issue.record("2.5 was expected")
      return
    }
  }

  @Test func valuesBelowAMarkStayThere() {
    // A mark, and then instructions that would take what stands below it.
    for opcode: [UInt8] in [[0x30], [0x32], [0x61], [0x73], [0x52], [0x85]] {
      #expect(problem([0x80, 2, 0x4E, 0x28] + opcode + [0x2E]) != nil)
    }
    #expect(problem([0x80, 2, 0x2E]) != nil)
    #expect(problem([0x80, 2, 0x74, 0x2E]) != nil)
    #expect(problem([0x80, 1, 0x4E, 0x2E]) != nil)
    #expect(problem([0x80, 2, 0x68, 7, 0x2E]) != nil)
  }

  @Test func deepAndCyclicStructuresAreHarmless() throws {
    let deep = [0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2E]
    _ = try read(deep)
    // A list that holds itself.
    _ = try read([0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E])
  }

  @Test func aPickleThatAsksForTooMuchIsRefused() {
    let wide = [0x80, 2] + [UInt8](repeating: 0x7D, count: 2_000_001) + [0x2E]
    #expect(problem(wide) == .limit(what: "the pickle's containers", limit: 2_000_000))
    let marks = [0x80, 2] + [UInt8](repeating: 0x28, count: 8_000_001) + [0x2E]
    #expect(problem(marks) == .limit(what: "the pickle's values", limit: 8_000_000))
  }

  @Test func noSequenceOfInstructionsTraps() {
    var generator = SeededRandomSource(state: 1)
    let opcodes: [UInt8] =
      Array("NKMJGXTUBC(})]tldaesuqrhj012cRbQ.".utf8) + [
        0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x8D, 0x93, 0x94, 0x95,
      ]
    for _ in 0..<20_000 {
      var bytes: [UInt8] = [0x80, 2]
      for _ in 0..<20 {
        bytes.append(opcodes[Int.random(in: 0..<opcodes.count, using: &generator)])
        if Bool.random(using: &generator) {
          bytes.append(UInt8.random(in: 0..<4, using: &generator))
        }
        if Int.random(in: 0..<8, using: &generator) == 0 {
          bytes += Pickle.tensor("0", count: 4, shape: [2, 2], strides: [2, 1])
        }
      }
      _ = problem(bytes + [0x2E])
    }
  }
}
