/// What a server serves, to whom, and how much it takes on.
package struct StudioSettings: Sendable {
  /// The address to listen at; only 127.0.0.1 is reachable by no other machine.
  package var host = "127.0.0.1"
  /// The port; 0 for any that is free, nil for the first free one from ``firstPort`` on.
  package var port: UInt16?
  /// The secret that requests need; nil if none is.
  package var token: String?
  /// Whether there is a page, and not the API alone.
  package var servesPage = true
  /// Models of the command line: names, folders or files.
  package var models: [String] = []
  /// Folders with pictures, `.latent` files or runs of training, which may be looked at.
  package var folders: [String] = []
  /// The only folder that is written to; nil to write nothing.
  package var workspace: String?
  /// What is taken on.
  package var limits = StudioLimits()

  /// The port that is tried first where none is named.
  package static let firstPort: UInt16 = 8765
  /// As many ports are tried.
  package static let portCount: UInt16 = 20

  package init() {}
}

/// How much a server takes on.
package struct StudioLimits: Sendable {
  /// The most bytes that a request may send.
  package var byteCount = 64 << 20
  /// The most pixels of a picture that is sent or drawn.
  package var pixelCount = 1 << 24
  /// The most steps of a drawing.
  package var stepCount = 250
  /// The most pictures of a drawing.
  package var pictureCount = 64
  /// How many seconds an answer may take, waiting included; streams may take longer.
  package var secondCount = 120
  /// How many requests that compute may wait.
  package var queueLength = 16
  /// How many connections may be open.
  package var connectionCount = 256
  /// How long a connection may be idle before a request's first byte.
  package var idleTime = Duration.seconds(60)
  /// How long a request's head may take, from its first byte on.
  package var headTime = Duration.seconds(10)
  /// How much memory latents may take that clients work with.
  package var latentByteCount = 512 << 20

  /// How much memory the bytes of all requests and of their answers may take together.
  package var heldByteCount: Int { 4 * byteCount }

  package init() {}
}
