// swift-tools-version: 6.2
// Benchmarks for who changes the code; `lvae bench` measures a user's machine, and Scripts/compare
// other engines. A package of its own, so that nobody who uses the library fetches the harness.
// In this folder:
//
//   swift package benchmark list
//   swift package benchmark --target KernelBenchmarks --filter "conv.*avx512.*"
//   swift package --allow-writing-to-package-directory benchmark baseline update before
//   … change something …
//   swift package benchmark baseline compare before
//
// Baselines lie in .benchmarkBaselines, and say something about the machine that they were made on
// only; on a machine with other work compare ratios (one kernel to another of the same run), not
// milliseconds. Names have no spaces, which `thresholds check` doesn't find again.
// kernels/ holds plain C programs that check every kernel with float64 and time it without Swift.
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "lvae", path: ".."),
    // No traits: the allocation counter that they bring is not needed.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: ["KernelBenchmarks", "ModelBenchmarks", "FileBenchmarks"].map { suite in
    .executableTarget(
      name: suite,
      dependencies: [
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "LVAE", package: "lvae"),
      ],
      path: "Benchmarks/\(suite)",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  },
  swiftLanguageModes: [.v6]
)
