/// The gradients of a number with respect to tensors it was computed from.
///
/// Reverse-mode differentiation: each recorded step is gone through once, the last one first, in an
/// order that depends on the computation alone; and so do the results, bit for bit.
///
/// - Parameters:
///   - loss: one number.
///   - tensors: ``Tensor/tracked()``, or computed from such tensors. Work is done only for steps
///     between them and the loss.
///   - keepingRecording: whether gradients will be taken through the same steps again; by default
///     what they hold is let go on the way.
/// - Returns: for each tensor the gradient, of its shape; zeros where the loss doesn't depend on it.
/// - Precondition: the loss is one number; the tensors are recorded; and the recording wasn't used up
///   before.
public func gradients(
  of loss: Tensor, withRespectTo tensors: [Tensor], keepingRecording: Bool = false
) -> [Tensor] {
  let found = knownGradients(
    of: loss, withRespectTo: tensors, keepingRecording: keepingRecording)
  return zip(found, tensors).map { $0 ?? Tensor(zeros: $1.shape) }
}

/// As ``gradients(of:withRespectTo:keepingRecording:)``; nil for tensors that the loss doesn't
/// depend on.
///
/// `whenKnown` is called with each tensor's index and gradient as soon as that is known.
package func knownGradients(
  of loss: Tensor, withRespectTo tensors: [Tensor], keepingRecording: Bool = false,
  whenKnown: ((Int, Tensor) -> Void)? = nil
) -> [Tensor?] {
  precondition(loss.shape.scalarCount == 1, "a gradient of \(loss.shape), which isn't one number")
  let targets = tensors.map { tensor in
    guard let node = tensor.node else {
      preconditionFailure("a gradient with respect to a tensor that isn't tracked")
    }
    return node
  }
  return loss.backpropagating(
    Tensor(repeating: 1, shape: loss.shape), to: targets, keepingRecording: keepingRecording,
    whenKnown: whenKnown)
}

extension Tensor {
  /// The gradients with respect to `targets` of the product of self with `seed`, summed.
  ///
  /// How the nodes of `boundary` were computed isn't looked at.
  func backpropagating(
    _ seed: Tensor, to targets: [GradientNode], keepingRecording: Bool,
    boundary: [GradientNode] = [], whenKnown: ((Int, Tensor) -> Void)? = nil
  ) -> [Tensor?] {
    guard let node else { return targets.map { _ in nil } }
    var pass = Backpropagation(targets: targets, boundary: boundary)
    return withoutRecording {
      pass.run(
        from: node, seed: seed.detached(), keeping: keepingRecording, whenKnown: whenKnown)
    }
  }
}

/// One way back through a recorded computation.
private struct Backpropagation {
  private let targets: [GradientNode]
  /// The index of each target.
  private let indices: [ObjectIdentifier: Int]
  private let isBoundary: Set<ObjectIdentifier>
  private var gradients: [ObjectIdentifier: Tensor] = [:]

  init(targets: [GradientNode], boundary: [GradientNode]) {
    self.targets = targets
    isBoundary = Set(boundary.map(ObjectIdentifier.init))
    indices = Dictionary(
      targets.indices.map { (ObjectIdentifier(targets[$0]), $0) }, uniquingKeysWith: { $1 })
  }

  mutating func run(
    from last: GradientNode, seed: Tensor, keeping: Bool, whenKnown: ((Int, Tensor) -> Void)?
  ) -> [Tensor?] {
    var found: [ObjectIdentifier: Tensor] = [:]
    let (order, needed) = steps(to: last)
    gradients[ObjectIdentifier(last)] = seed
    for node in order.reversed() {
      let id = ObjectIdentifier(node)
      guard let gradient = gradients.removeValue(forKey: id) else { continue }
      if let index = indices[id] {
        found[id] = gradient
        whenKnown?(index, gradient)
      }
      guard !isBoundary.contains(id), let step = node.take(keeping: keeping) else { continue }
      let isNeeded = step.operands.map { operand in
        operand.map { needed.contains(ObjectIdentifier($0)) } ?? false
      }
      guard isNeeded.contains(true) else { continue }
      add(step.pullback(consume gradient, isNeeded), to: step.operands, where: isNeeded)
    }
    return targets.map { found[ObjectIdentifier($0)] }
  }

  private mutating func add(
    _ results: consuming [Tensor?], to operands: [GradientNode?], where isNeeded: [Bool]
  ) {
    var results = results
    for index in operands.indices where isNeeded[index] {
      guard let operand = operands[index], let gradient = results[index].take() else { continue }
      let id = ObjectIdentifier(operand)
      if var sum = gradients.removeValue(forKey: id) {
        sum.accumulate(gradient)
        gradients[id] = sum
      } else {
        gradients[id] = gradient
      }
    }
  }

  /// All steps, each behind its operands, and those that lie between a target and the end.
  private func steps(to last: GradientNode) -> ([GradientNode], Set<ObjectIdentifier>) {
    var order: [GradientNode] = []
    var needed: Set<ObjectIdentifier> = []
    var known: Set<ObjectIdentifier> = [ObjectIdentifier(last)]
    // A stack of our own, as recordings may be deeper than the thread's.
    var path = [(node: last, operands: operands(of: last), next: 0)]
    while let top = path.last {
      if top.next < top.operands.count {
        path[path.count - 1].next += 1
        guard let operand = top.operands[top.next],
          known.insert(ObjectIdentifier(operand)).inserted
        else { continue }
        path.append((operand, operands(of: operand), 0))
      } else {
        let id = ObjectIdentifier(top.node)
        let reaches = top.operands.contains { operand in
          operand.map { needed.contains(ObjectIdentifier($0)) } ?? false
        }
        if indices[id] != nil || reaches {
          needed.insert(id)
          order.append(top.node)
        }
        path.removeLast()
      }
    }
    return (order, needed)
  }

  private func operands(of node: GradientNode) -> [GradientNode?] {
    isBoundary.contains(ObjectIdentifier(node)) ? [] : node.operands
  }
}
