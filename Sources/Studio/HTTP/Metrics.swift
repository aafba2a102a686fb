import Foundation
import Pipelines
import Synchronization

/// What was served, counted in Prometheus' text format.
final class Metrics: Sendable {
  private struct Key: Hashable {
    let route, method: String
    let status: Int
  }

  private struct Durations {
    var counts = [Int](repeating: 0, count: Metrics.bounds.count)
    var sum = 0.0
    var count = 0
  }

  private struct State {
    var requests: [Key: Int] = [:]
    var durations: [String: Durations] = [:]
    var receivedByteCount = 0
    var sentByteCount = 0
    var inFlight = 0
  }

  private static let bounds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
  private let state = Mutex(State())
  private let begin = ContinuousClock.now

  func begun() { state.withLock { $0.inFlight += 1 } }

  /// Takes note of an answer.
  func ended(
    route: String, method: String, status: Int, duration: Duration, received: Int, sent: Int
  ) {
    let seconds = duration.inSeconds
    state.withLock { state in
      state.inFlight -= 1
      state.requests[Key(route: route, method: method, status: status), default: 0] += 1
      var durations = state.durations[route] ?? Durations()
      for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
        durations.counts[index] += 1
      }
      durations.sum += seconds
      durations.count += 1
      state.durations[route] = durations
      state.receivedByteCount += received
      state.sentByteCount += sent
    }
  }

  /// A gauge that somebody else knows.
  struct Gauge {
    let name, help: String
    var labels = ""
    let value: Int
  }

  /// All figures.
  func text(gauges: [Gauge]) -> String {
    let state = state.withLock { $0 }
    var lines = [
      "# HELP lvae_requests_total Answered requests.", "# TYPE lvae_requests_total counter",
    ]
    lines += state.requests.map { key, count in
      "lvae_requests_total{route=\"\(key.route)\",method=\"\(key.method)\",status=\"\(key.status)\"} \(count)"
    }.sorted()
    lines += [
      "# HELP lvae_request_seconds Time to the answer, or to a stream's beginning.",
      "# TYPE lvae_request_seconds histogram",
    ]
    for (route, durations) in state.durations.sorted(by: { $0.key < $1.key }) {
      for (bound, count) in zip(Self.bounds, durations.counts) {
        lines.append("lvae_request_seconds_bucket{route=\"\(route)\",le=\"\(bound)\"} \(count)")
      }
      lines += [
        "lvae_request_seconds_bucket{route=\"\(route)\",le=\"+Inf\"} \(durations.count)",
        "lvae_request_seconds_sum{route=\"\(route)\"} \(durations.sum)",
        "lvae_request_seconds_count{route=\"\(route)\"} \(durations.count)",
      ]
    }
    let own = [
      Gauge(
        name: "lvae_requests_in_flight", help: "Requests without an answer.", value: state.inFlight),
      Gauge(
        name: "lvae_received_bytes", help: "Bytes of requests' bodies.",
        value: state.receivedByteCount),
      Gauge(name: "lvae_sent_bytes", help: "Bytes of whole answers.", value: state.sentByteCount),
      Gauge(
        name: "lvae_resident_bytes", help: "Memory of the process.",
        value: SystemMemory.residentByteCount ?? 0),
      Gauge(
        name: "lvae_uptime_seconds", help: "Since the start.",
        value: Int((ContinuousClock.now - begin).inSeconds)),
    ]
    var named: Set<String> = []
    for gauge in own + gauges {
      if named.insert(gauge.name).inserted {
        lines += ["# HELP \(gauge.name) \(gauge.help)", "# TYPE \(gauge.name) gauge"]
      }
      lines.append("\(gauge.name)\(gauge.labels) \(gauge.value)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
