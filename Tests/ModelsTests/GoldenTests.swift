import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

struct Throwaway: ParameterVisitor {
  let file: Safetensors
  mutating func visit(_ p: inout Tensor, at path: ParameterPath, layout: ParameterLayout) throws {
    let t = try file.tensor(named: path.description)
    #expect(t.shape == layout.checkpointShape(of: p.shape), "\(path)")
    p = layout.fromCheckpoint(t)
  }
}

struct GoldenTests {
  @Test(arguments: ["kl_tiny", "kl_tiny3", "kl_sd3_tiny", "kl_noattn_tiny"])
  func kl(_ name: String) throws {
    let folder = SharedFiles.url("golden/\(name)")
    let configuration = try JSONDecoder().decode(
      AutoencoderKL.Configuration.self,
      from: Data(contentsOf: folder.appending(path: "config.json")))
    var model = AutoencoderKL(configuration)
    var v = Throwaway(
      file: try Safetensors(
        contentsOf: folder.appending(path: "diffusion_pytorch_model.safetensors")))
    try model.visitParameters(at: .root, with: &v)
    let golden = try Safetensors(contentsOf: folder.appending(path: "golden.safetensors"))
    let x = try golden.tensor(named: "x").channelsLast()
    let d = model.encode(x)
    try print(name, relativeError(d.mean.channelsFirst(), golden.tensor(named: "mean")))
    let z = try golden.tensor(named: "z_in").channelsLast()
    try print(name, relativeError(model.decode(z).channelsFirst(), golden.tensor(named: "decoded")))
    try print(name, relativeError(d.klDivergence(), golden.tensor(named: "kl")))
  }
  @Test(arguments: ["taesd_tiny", "taef1_tiny"])
  func tiny(_ name: String) throws {
    let folder = SharedFiles.url("golden/\(name)")
    let configuration = try JSONDecoder().decode(
      AutoencoderTiny.Configuration.self,
      from: Data(contentsOf: folder.appending(path: "config.json")))
    var model = AutoencoderTiny(configuration)
    var v = Throwaway(
      file: try Safetensors(
        contentsOf: folder.appending(path: "diffusion_pytorch_model.safetensors")))
    try model.visitParameters(at: .root, with: &v)
    let golden = try Safetensors(contentsOf: folder.appending(path: "golden.safetensors"))
    let x = try golden.tensor(named: "x").channelsLast()
    let d = model.encode(x)
    try print(name, relativeError(d.mean.channelsFirst(), golden.tensor(named: "latents")))
    let z = try golden.tensor(named: "z_in").channelsLast()
    try print(name, relativeError(model.decode(z).channelsFirst(), golden.tensor(named: "decoded")))
  }
}
