public import Tensors

/// A loss and its gradient with respect to the parameters of a model.
///
/// ```swift
/// let (loss, gradient) = valueWithGradient(at: model) { model in
///   (model.decode(model.encode(pictures).mode) - pictures).squared().mean()
/// }
/// ```
///
/// - Parameters:
///   - model: what the loss is a function of.
///   - isTrainable: which parameters gradients are wanted of; no work is done for the others alone.
///   - loss: computes the loss, one number, with the model that it is given.
/// - Returns: the loss, and its gradient.
/// - Throws: what `loss` throws.
/// - Precondition: the loss is one number.
public func valueWithGradient<Model: ParameterContainer>(
  at model: Model, isTrainable: (ParameterPath) -> Bool = { _ in true },
  in loss: (Model) throws -> Tensor
) rethrows -> (value: Tensor, gradient: Gradient) {
  let (value, _, gradient) = try valueWithGradient(
    at: model, isTrainable: isTrainable, reporting: { (try loss($0), ()) })
  return (value, gradient)
}

/// As ``valueWithGradient(at:isTrainable:in:)``, for a function that gives more than the loss: its
/// terms, or what was decoded.
///
/// - Parameters:
///   - model: what the loss is a function of.
///   - isTrainable: which parameters gradients are wanted of.
///   - function: computes the loss, and something else, with the model that it is given. Tensors
///     among it had better be detached: what is recorded of them is used up by the gradient.
///   - whenKnown: called with each derivative as soon as it is known, the last layers' first.
/// - Returns: the loss, what else the function gave, and the gradient.
/// - Throws: what `function` throws.
/// - Precondition: the loss is one number.
public func valueWithGradient<Model: ParameterContainer, Report>(
  at model: Model, isTrainable: (ParameterPath) -> Bool = { _ in true },
  reporting function: (Model) throws -> (loss: Tensor, report: Report),
  whenKnown: ((ParameterPath, Tensor) -> Void)? = nil
) rethrows -> (value: Tensor, report: Report, gradient: Gradient) {
  let (tracked, parameters) = model.tracked(isTrainable)
  let (loss, report) = try function(tracked)
  let derivatives = knownGradients(
    of: loss, withRespectTo: parameters.map(\.tensor),
    whenKnown: whenKnown.map { tell in { tell(parameters[$0].path, $1) } })
  var gradient = Gradient()
  for (parameter, derivative) in zip(parameters, derivatives) {
    gradient[parameter.path] = derivative
  }
  return (loss.detached(), report, gradient)
}

/// A parameter whose gradient is wanted.
public struct TrackedParameter: Sendable {
  /// Its name.
  public let path: ParameterPath
  /// Its value, as the model has it.
  public let tensor: Tensor
}

extension ParameterContainer {
  /// The model with parameters that gradients can be taken with respect to, and these.
  ///
  /// What ``valueWithGradient(at:isTrainable:in:)`` calls, for losses that need gradients of their own.
  public func tracked(
    _ isTrainable: (ParameterPath) -> Bool = { _ in true }
  ) -> (model: Self, parameters: [TrackedParameter]) {
    withoutActuallyEscaping(isTrainable) { isTrainable in
      var tracker = ParameterTracker(isTrainable: isTrainable)
      var model = self
      // This visitor throws nothing.
      try? model.visitParameters(at: .root, with: &tracker)
      return (model, tracker.parameters)
    }
  }
}

private struct ParameterTracker: ParameterVisitor {
  let isTrainable: (ParameterPath) -> Bool
  var parameters: [TrackedParameter] = []

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    guard isTrainable(path) else { return }
    parameter = parameter.tracked()
    parameters.append(TrackedParameter(path: path, tensor: parameter))
  }
}
