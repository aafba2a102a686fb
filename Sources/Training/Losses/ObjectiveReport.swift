/// What an ``Objective`` measured on a batch.
public struct ObjectiveReport: Sendable {
  /// A term of the loss.
  public struct Term: Hashable, Sendable {
    /// `mse`, `kl`, ….
    public let name: String
    /// What it measures, without weight, free bits and capacity.
    public let value: Double
    /// What it adds to the loss.
    public let contribution: Double
  }

  /// The loss.
  public var loss = 0.0
  /// The terms, in the order in which they are added.
  public var terms: [Term] = []
  /// β of the step.
  public var klWeight = 0.0
  /// The divergence of each channel, in nats a picture; empty without a posterior.
  public var klPerChannel: [Double] = []
  /// σ or b of the likelihood; nil without one.
  public var likelihoodScale: Double?
  /// λ of the adversarial term; nil without one.
  public var adversarialWeight: Double?
  /// How evenly codes were used; nil without codes.
  public var codes: CodeUsage?

  /// A report of nothing.
  public init() {}

  /// A term's value.
  public subscript(name: String) -> Double? { terms.first { $0.name == name }?.value }

  /// All numbers by name, in a fixed order: what a log keeps of a step.
  ///
  /// `loss`, then each term's value, `kl_weight`, `likelihood_scale`, `adversarial_lambda`,
  /// `perplexity`, `codes_used`, where there are such.
  public var values: [(name: String, value: Double)] {
    var values = [(name: "loss", value: loss)]
    values += terms.map { ($0.name, $0.value) }
    if !klPerChannel.isEmpty { values.append(("kl_weight", klWeight)) }
    if let likelihoodScale { values.append(("likelihood_scale", likelihoodScale)) }
    if let adversarialWeight { values.append(("adversarial_lambda", adversarialWeight)) }
    if let codes {
      values.append(("perplexity", codes.perplexity))
      values.append(("codes_used", Double(codes.usedCount)))
    }
    return values
  }
}
