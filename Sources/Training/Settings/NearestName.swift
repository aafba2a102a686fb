extension String {
  /// The name that is spelled most like this one; nil if none is alike.
  ///
  /// Alike are names that at most a third of the letters, and two at least, separate.
  func nearest(among names: [String]) -> String? {
    let distances = names.map { (name: $0, distance: distance(to: $0)) }
    guard let nearest = distances.min(by: { $0.distance < $1.distance }),
      nearest.distance <= max(2, utf8.count / 3)
    else { return nil }
    return nearest.name
  }

  /// How many letters must be inserted, removed or exchanged to make `other` of this: Levenshtein
  /// 1966.
  func distance(to other: String) -> Int {
    let (own, wanted) = (Array(utf8), Array(other.utf8))
    var row = Array(0...wanted.count)
    for (i, byte) in own.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, target) in wanted.enumerated() {
        let exchanged = diagonal + (byte == target ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(exchanged, diagonal + 1, row[j] + 1)
      }
    }
    return row[wanted.count]
  }
}
