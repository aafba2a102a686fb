import Synchronization

/// A step of a recorded computation: which steps it needed, and how gradients pass back through it.
///
/// A ``Tensor`` with a node is one whose gradient is wanted, or that was computed from such. What a
/// step holds for its gradient is let go once it was used.
final class GradientNode: Sendable {
  /// From the gradient with respect to the step's result, those with respect to its operands; nil for
  /// the operands whose gradient isn't asked for.
  typealias Pullback =
    @Sendable (_ gradient: consuming Tensor, _ isNeeded: [Bool]) -> [Tensor?]

  /// What is known of a step until its gradient is computed.
  struct Step: Sendable {
    /// Nil for an operand that wasn't recorded.
    let operands: [GradientNode?]
    let pullback: Pullback
  }

  private enum State {
    case origin
    case step(Step)
    case used
  }

  private let state: Mutex<State>

  /// The node of a tensor that gradients are taken with respect to.
  init() {
    state = Mutex(.origin)
  }

  init(_ step: Step) {
    state = Mutex(.step(step))
  }

  /// The operands; empty for an origin.
  ///
  /// - Precondition: the step has not been used.
  var operands: [GradientNode?] {
    state.withLock {
      switch $0 {
      case .origin: return []
      case .step(let step): return step.operands
      case .used:
        preconditionFailure(
          "this recording was used for gradients before; keep it then (keepingRecording: true)")
      }
    }
  }

  /// The step, which is forgotten unless it is kept; nil for an origin.
  func take(keeping: Bool) -> Step? {
    state.withLock {
      guard case .step(let step) = $0 else { return nil }
      if !keeping { $0 = .used }
      return step
    }
  }
}

/// What happens to the operations of a computation, where they could be recorded.
enum GradientRecording {
  /// Set where nothing is recorded; it may take note of what would have been.
  @TaskLocal static var pause: Pause?

  /// Whether an operation on tensors with these nodes is to be recorded.
  static func isOn(_ nodes: GradientNode?...) -> Bool {
    isOn(nodes)
  }

  /// Whether an operation on tensors with these nodes is to be recorded.
  static func isOn(_ nodes: [GradientNode?]) -> Bool {
    guard nodes.contains(where: { $0 != nil }) else { return false }
    guard let pause else { return true }
    for case .some(let node) in nodes { pause.note(node) }
    return false
  }

  /// A stretch of a computation that isn't recorded.
  final class Pause: Sendable {
    private let met = Mutex<(nodes: [GradientNode], known: Set<ObjectIdentifier>)>(([], []))

    /// The nodes of operands, in the order in which they were met first.
    var nodes: [GradientNode] { met.withLock { $0.nodes } }

    func note(_ node: GradientNode) {
      met.withLock {
        if $0.known.insert(ObjectIdentifier(node)).inserted { $0.nodes.append(node) }
      }
    }
  }
}

/// Calls `body`, whose operations are not recorded: gradients don't pass through it.
public func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
  try GradientRecording.$pause.withValue(GradientRecording.Pause(), operation: body)
}

extension Tensor {
  /// The same numbers, with respect to which gradients can be taken.
  ///
  /// Whatever is computed from the result is recorded, for
  /// ``gradients(of:withRespectTo:keepingRecording:)``.
  public func tracked() -> Tensor {
    Tensor(shape: shape, storage: storage, node: GradientNode())
  }

  /// The same numbers as a constant, through which no gradient passes.
  public func detached() -> Tensor {
    Tensor(shape: shape, storage: storage)
  }

  /// Whether it is ``tracked()``, or was computed from such a tensor.
  public var isRecorded: Bool { node != nil }

  /// The tensor as the result of a step with these operands; for use where recording is on.
  ///
  /// The pullback must not hold the tensor itself: it would hold its own step. It may hold
  /// ``detached()``.
  func recorded(
    _ operands: [GradientNode?], pullback: @escaping GradientNode.Pullback
  ) -> Tensor {
    GradientRecording.inspection?.look(at: self, operands)
    let step = GradientNode.Step(operands: operands, pullback: pullback)
    return Tensor(shape: shape, storage: storage, node: GradientNode(step))
  }

  /// The tensor as the result of a step with one operand; for use where recording is on.
  func recorded(
    _ operand: GradientNode?, pullback: @escaping @Sendable (consuming Tensor) -> Tensor
  ) -> Tensor {
    recorded([operand]) { gradient, _ in [pullback(gradient)] }
  }
}
