import Synchronization

/// Computes something again to find out where the first number that isn't finite came from.
///
/// - Parameters:
///   - tensors: ``Tensor/tracked()`` tensors that the computation uses, parameters as a rule.
///   - body: the computation, which must record its steps.
/// - Returns: the place among `tensors` of the one that was used last when an infinite number or NaN
///   appeared first; nil if none appeared, or none of the tensors had been used by then.
package func firstNonFiniteResult(
  using tensors: [Tensor], in body: () throws -> Void
) rethrows -> Int? {
  let inspection = GradientRecording.Inspection(tensors.map(\.node))
  try GradientRecording.$inspection.withValue(inspection, operation: body)
  return inspection.found
}

extension GradientRecording {
  /// Set while each recorded result is looked at.
  @TaskLocal static var inspection: Inspection?

  /// Looks for the first result that isn't finite.
  final class Inspection: Sendable {
    private struct State {
      var latest: Int?
      var isOver = false
    }

    private let places: [ObjectIdentifier: Int]
    private let state = Mutex(State())

    init(_ nodes: [GradientNode?]) {
      var places: [ObjectIdentifier: Int] = [:]
      for case (let place, .some(let node)) in nodes.enumerated() {
        places[ObjectIdentifier(node)] = place
      }
      self.places = places
    }

    /// The place of the tensor that was used last before such a result; nil if there was none.
    var found: Int? { state.withLock { $0.isOver ? $0.latest : nil } }

    /// Looks at a result with these operands.
    func look(at result: Tensor, _ operands: [GradientNode?]) {
      state.withLock { state in
        guard !state.isOver else { return }
        for case .some(let node) in operands {
          if let place = places[ObjectIdentifier(node)] { state.latest = place }
        }
        state.isOver = !result.isFinite
      }
    }
  }
}
