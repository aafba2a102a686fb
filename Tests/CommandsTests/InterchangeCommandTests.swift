import Foundation
import LatentFiles
import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct InterchangeCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("in/a.png", samplePicture(16, 12))
    try work.add("in/b/c.png", samplePicture(32, 8, seed: 2))
  }

  private static let python: String? = ProcessInfo.processInfo.environment["LVAE_PYTHON"]
  private static let hasPython: Bool = python != nil

  /// What a line of Python prints, with numpy as np and safetensors as st.
  private func python(_ line: String) throws -> String {
    let run = try work.bash(
      "PYTHONDONTWRITEBYTECODE=1 \(Self.python ?? "python3") -c 'import numpy as np; "
        + "import safetensors.numpy as st; \(line)'")
    #expect(run.status == 0, "\(run.errors)")
    return run.output
  }

  private func encode(_ folder: String, _ more: String...) throws {
    let run = try work.start(["encode", "in", "-o", folder, "--model", "kl"] + more).result()
    #expect(run.status == 0, "\(run.errors)")
  }

  private static let formats = [
    ("kohya-npz", "npz"), ("npy", "npy"), ("safetensors", "safetensors"),
  ]

  @Test(arguments: formats)
  func whatIsExportedComesBackBitForBit(_ format: String, _ fileExtension: String) throws {
    try encode("L", "--storage", "f32")
    let out = try work.lvae("export", "L", "--format", format, "-o", "X")
    #expect(out.status == 0, "\(out.errors)")
    #expect(work.files("X") == ["a.\(fileExtension)", "b/c.\(fileExtension)"])
    let back = try work.lvae("import", "X", "--model", "kl", "-o", "B")
    #expect(back.status == 0, "\(back.errors)")
    for name in ["a", "b/c"] {
      let (old, new) = (try work.latent("L/\(name).latent"), try work.latent("B/\(name).latent"))
      #expect(old.latent == new.latent)
      #expect(old.metadata.model == new.metadata.model)
    }
    #expect(try work.lvae("export", "L", "--format", format, "-o", "X").errors.contains("2 up to"))
    #expect(try work.lvae("import", "X", "--model", "kl", "-o", "B").errors.contains("2 up to"))
    #expect(try work.lvae("decode", "B", "-o", "R", "--model", "kl").status == 0)
  }

  @Test func momentsKeepTheirDeviations() throws {
    try encode("L", "--storage", "f32", "--posterior", "moments")
    for (format, _) in Self.formats.dropFirst() {
      for folder in ["X", "B"] { try? FileManager.default.removeItem(at: work.url(folder)) }
      #expect(try work.lvae("export", "L", "--format", format, "-o", "X").status == 0)
      #expect(try work.lvae("import", "X", "--model", "kl", "-o", "B").status == 0)
      let (old, new) = (try work.latent("L/a.latent"), try work.latent("B/a.latent"))
      #expect(new.metadata.values == .moments)
      #expect(
        relativeError(new.latent.dequantized(), old.latent.dequantized()) < 1e-6, "\(format)")
    }
  }

  @Test(.enabled(if: hasPython, "skipped: needs numpy and safetensors (set LVAE_PYTHON)"))
  func numpyReadsWhatIsExported() throws {
    try encode("L", "--storage", "f32")
    for (format, _) in Self.formats {
      #expect(try work.lvae("export", "L", "--format", format, "-o", "X").status == 0)
    }
    let expected = try work.latent("L/a.latent").latent.dequantized().channelsFirst().scalars
    #expect(
      try python(
        "z = np.load(\"X/a.npz\"); print(sorted(z.files), z[\"latents_3x4\"].dtype, "
          + "z[\"latents_3x4\"].shape, z[\"original_size_3x4\"], z[\"crop_ltrb_3x4\"])")
        == "['crop_ltrb_3x4', 'latents_3x4', 'original_size_3x4'] float32 (4, 3, 4) [16 12] "
        + "[ 0  0 16 12]\n")
    for load in [
      "np.load(\"X/a.npz\")[\"latents_3x4\"]", "np.load(\"X/a.npy\")",
      "st.load_file(\"X/a.safetensors\")[\"latent\"]",
    ] {
      let text = try python("print(*[float(x).hex() for x in \(load).ravel()])")
      let values = text.split(whereSeparator: \.isWhitespace).compactMap { Float(String($0)) }
      #expect(values == expected, "\(load)")
    }
    #expect(try work.bash("unzip -tq X/a.npz || python3 -m zipfile -t X/a.npz").status == 0)
  }

  @Test(.enabled(if: hasPython, "skipped: needs numpy and safetensors (set LVAE_PYTHON)"))
  func whatNumpyWritesIsImported() throws {
    _ = try python(
      """
      x = np.arange(48, dtype=np.float32).reshape(4, 3, 4) / 7
      np.savez("a.npz", latents_3x4=x, original_size_3x4=np.array((640, 480)),
        crop_ltrb_3x4=np.array((1, 2, 17, 14)), latents_flipped_3x4=x[:, :, ::-1])
      np.savez_compressed("old.npz", latents=x, original_size=np.array((640, 480)),
        crop_ltrb=np.array((0, 0, 16, 12)))
      np.savez("two.npz", latents_3x4=x, latents_2x4=x[:, :2])
      np.save("half.npy", x.astype(np.float16)); np.save("one.npy", x[None].astype(np.float64))
      np.save("fortran.npy", np.asfortranarray(x)); np.save("object.npy", np.array([{}]))
      np.save("nan.npy", x * np.nan); np.save("other.npy", x[:3])
      st.save_file({"latent": x}, "a.safetensors")
      """)
    for name in ["a.npz", "old.npz", "one.npy", "a.safetensors"] {
      let run = try work.lvae("import", name, "--model", "kl", "-o", "x.latent", "--force")
      #expect(run.status == 0, "\(name): \(run.errors)")
      let file = try work.latent("x.latent")
      #expect(
        file.latent.dequantized().channelsFirst().scalars == (0..<48).map { Float($0) / 7 })
      #expect(file.metadata.values == (name.hasSuffix("npz") ? .sample : .mean))
    }
    // What sd-scripts said of the picture goes back to it.
    #expect(try work.lvae("import", "a.npz", "--model", "kl", "-o", "y.latent").status == 0)
    #expect(
      try work.lvae("export", "y.latent", "--format", "kohya-npz", "-o", "y.npz").status == 0)
    #expect(
      try python("z = np.load(\"y.npz\"); print(z[\"original_size_3x4\"], z[\"crop_ltrb_3x4\"])")
        == "[640 480] [ 1  2 17 14]\n")
    #expect(
      try work.lvae("import", "half.npy", "--model", "kl", "--storage", "f16").status == 0)
    for (name, reason) in [
      ("two.npz", "latents_2x4, latents_3x4; name one with --array"),
      ("fortran.npy", "Fortran"), ("object.npy", "|O"), ("nan.npy", "infinite or undefined"),
      ("other.npy", "4×H×W"),
    ] {
      let run = try work.lvae("import", name, "--model", "kl", "-o", "z.latent")
      #expect(run.status == 3 && run.errors.contains(reason), "\(name): \(run.errors)")
    }
    let one = try work.lvae(
      "import", "two.npz", "--array", "latents_2x4", "--model", "kl", "-o", "z.latent")
    #expect(one.status == 0, "\(one.errors)")
  }

  @Test func scalingIsDoneAndUndone() throws {
    try tinyAutoencoderKL {
      $0.scalingFactor = 0.25
      $0.shiftFactor = 0.5
    }.save(to: work.url("kl"))
    try encode("L", "--storage", "f32")
    #expect(
      try work.lvae("export", "L/a.latent", "--format", "npy", "--scaled", "-o", "a.npy").status
        == 0)
    let raw = try work.latent("L/a.latent").latent.dequantized()
    let scaled = try NumPyArray(decoding: work.bytes("a.npy")).tensor().scalars
    #expect(
      relativeError(scaled, raw.channelsFirst().scalars.map { ($0 - 0.5) * 0.25 }) < 1e-6)
    for arguments in [["a.npy", "--scaled"], ["a.safetensors"]] {
      if arguments[0] == "a.safetensors" {
        #expect(
          try work.lvae(
            "export", "L/a.latent", "--format", "safetensors", "--scaled", "-o", "a.safetensors"
          ).status == 0)
      }
      let run = try work.start(
        ["import", "--model", "kl", "-o", "B/\(arguments[0]).latent"] + arguments
      ).result()
      #expect(run.status == 0, "\(run.errors)")
      let back = try work.latent("B/\(arguments[0]).latent").latent.dequantized()
      #expect(relativeError(back, raw) < 1e-6)
    }
  }

  @Test func latentsOfAnotherModelAreRefused() throws {
    try encode("L")
    #expect(
      try work.lvae("export", "L/a.latent", "--format", "safetensors", "-o", "a.safetensors")
        .status == 0)
    let run = try work.lvae("import", "a.safetensors", "--model", "taesd", "-o", "x.latent")
    #expect(run.status == 3 && run.errors.contains("it was made with the weights"))
    #expect(!work.exists("x.latent"))
  }

  @Test func filesAreNamedAsSdScriptsLookForThem() throws {
    try encode("L")
    #expect(
      try work.lvae("export", "L", "--format", "kohya-npz", "--family", "sdxl", "-o", "X").status
        == 0)
    #expect(work.files("X") == ["a_0016x0012_sdxl.npz", "b/c_0032x0008_sdxl.npz"])
    #expect(try work.lvae("export", "L", "--format", "npy", "--family", "sd").status == 2)
  }
}
