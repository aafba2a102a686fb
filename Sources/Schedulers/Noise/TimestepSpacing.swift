/// Which of the training's timesteps are sampled at: `timestep_spacing`.
///
/// Table 2 of Lin et al. 2023, arXiv:2305.08891.
public enum TimestepSpacing: String, CaseIterable, Hashable, Sendable {
  /// Multiples of ⌊T/N⌋, so that the first one may be far from pure noise.
  case leading
  /// Equal steps down from the last timestep; the only one that is right with zero terminal SNR.
  case trailing
  /// Equal steps between the last and the first timestep.
  case linspace

  /// Timesteps for samplers that end at the first one, the noisiest first.
  ///
  /// - Parameters:
  ///   - count: how many, in 1…`total`.
  ///   - total: how many the training had.
  ///   - offset: added to those that are leading.
  /// - Returns: with `linspace` numbers that may lie between timesteps.
  func timesteps(_ count: Int, of total: Int, offset: Int) -> [Double] {
    switch self {
    case .linspace: evenlySpaced(Double(total - 1), 0, count)
    case .leading: (0..<count).reversed().map { Double($0 * (total / count) + offset) }
    case .trailing: Self.trailing(count, of: total, last: total)
    }
  }

  /// Timesteps for multistep solvers, which make a step of their own of the way to 0.
  ///
  /// - Parameters:
  ///   - count: how many, below `last`.
  ///   - total: how many the training had.
  ///   - last: timesteps from here on are left out.
  ///   - offset: added to those that are leading.
  /// - Returns: whole numbers, the noisiest first; fewer than `count` are trailing where `last` is
  ///   below `total`.
  func multistepTimesteps(_ count: Int, of total: Int, last: Int, offset: Int) -> [Double] {
    switch self {
    case .linspace:
      evenlySpaced(0, Double(last - 1), count + 1).reversed().dropLast().map(Self.rounded)
    case .leading: (1...count).reversed().map { Double($0 * (last / (count + 1)) + offset) }
    case .trailing: Self.trailing(count, of: total, last: last)
    }
  }

  private static func trailing(_ count: Int, of total: Int, last: Int) -> [Double] {
    let times = (0..<count).map { Double(last) - Double($0) * Double(total) / Double(count) }
    return times.map { rounded($0) - 1 }.filter { $0 >= 0 }
  }

  /// The nearest whole number, the even one of two, as NumPy rounds.
  static func rounded(_ timestep: Double) -> Double { timestep.rounded(.toNearestOrEven) }
}
