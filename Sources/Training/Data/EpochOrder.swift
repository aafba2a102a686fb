import Synchronization
import Tensors

/// The order in which the items of a data set are shown: another one in each epoch.
final class EpochOrder: Sendable {
  private let count: Int
  private let random: PhiloxRandomSource
  /// The order that was asked for last, so that it needn't be made again.
  private let latest = Mutex<(epoch: Int, order: [Int])>((-1, []))

  /// Orders of `count` items; `random` fixes them.
  init(count: Int, random: PhiloxRandomSource) {
    self.count = count
    self.random = random
  }

  /// The item at a place of an epoch.
  func item(ofEpoch epoch: Int, at place: Int) -> Int {
    latest.withLock { latest in
      if latest.epoch != epoch { latest = (epoch, order(ofEpoch: epoch)) }
      return latest.order[place]
    }
  }

  /// Fisher and Yates' shuffle, as Durstenfeld 1964 has it.
  private func order(ofEpoch epoch: Int) -> [Int] {
    var random = random.stream(UInt64(epoch))
    var order = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(index, random.next().scaled(below: index + 1))
    }
    return order
  }
}

extension UInt64 {
  /// An integer below `count` from 64 random bits (Lemire 2019, without its rejection: a value's
  /// probability is off by less than 2⁻⁶⁴).
  func scaled(below count: Int) -> Int {
    Int(multipliedFullWidth(by: UInt64(count)).high)
  }

  /// A number in 0..<1 from 64 random bits.
  var unitInterval: Double { Double(self >> 11) * 0x1p-53 }
}
