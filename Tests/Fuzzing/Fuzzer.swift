import Foundation

/// The format that `LVAE_FUZZ` names.
private let format: FuzzedFormat = {
  let name = ProcessInfo.processInfo.environment["LVAE_FUZZ", default: ""]
  guard let format = FuzzedFormat(rawValue: name) else {
    let known = FuzzedFormat.allCases.map(\.rawValue).joined(separator: ", ")
    print("LVAE_FUZZ is \"\(name)\"; one of \(known) is expected")
    exit(2)
  }
  return format
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  // To refuse is right.
  try? format.read(bytes)
  return 0
}
