// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "lvae",
  products: [
    .library(name: "LVAE", targets: ["Pipelines", "Training"]),
    .executable(name: "lvae", targets: ["Commands"]),
  ],
  traits: [
    .trait(
      name: "Studio", description: "The commands studio and serve: a web page and an HTTP API."),
    .default(enabledTraits: ["Studio"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // C: the inner loops, and the libraries that the system provides.
    .target(name: "CKernels", cSettings: kernelSettings),
    .target(
      name: "CModels", exclude: ["photo", "emoji", "emoji-denoiser", "samples"],
      cSettings: [
        .treatAllWarnings(as: .error), .disableWarning("c23-extensions"),  // #embed
      ]),
    .target(name: "CMPI", cSettings: kernelSettings, linkerSettings: [.linkedLibrary("dl")]),
    .target(
      name: "CStudio", exclude: ["page"],
      cSettings: [
        .treatAllWarnings(as: .error), .disableWarning("c23-extensions"),  // #embed
      ]),
    .target(name: "CPNGBridge", dependencies: ["CPNG"], cSettings: kernelSettings),
    .system("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
    .system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    .system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    .system("CPNG", pkgConfig: "libpng", apt: "libpng-dev"),
    .system("CTurboJPEG", pkgConfig: "libturbojpeg", apt: "libturbojpeg0-dev"),
    .system("CWebP", pkgConfig: "libwebp", apt: "libwebp-dev"),
    .system("CLCMS2", pkgConfig: "lcms2", apt: "liblcms2-dev"),
    .system("CArchive", pkgConfig: "libarchive", apt: "libarchive-dev"),

    // The toolkit, lowest first: a module imports only modules above it.
    .target(name: "Tensors", dependencies: ["CKernels", "COpenBLAS"]),
    .target(
      name: "Images", dependencies: ["Tensors", "CPNGBridge", "CTurboJPEG", "CWebP", "CLCMS2"]),
    .target(name: "LatentFiles", dependencies: ["Tensors", "CKernels", "CZstd"]),
    .target(name: "Layers", dependencies: ["Tensors"]),
    .target(name: "Models", dependencies: ["Tensors", "Layers"]),
    .target(name: "Schedulers", dependencies: ["Tensors"]),
    .target(
      name: "Pipelines",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Layers", "Models", "Schedulers", "CModels", "CArchive",
      ]),

    .target(
      name: "Training",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Layers", "Models", "Schedulers", "Pipelines", "CZlib",
        "CMPI",
      ]),

    // The web page and its server; without the trait, what needs sockets is left out, and the program
    // uses nothing of it.
    .target(
      name: "Studio",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Models", "Schedulers", "Pipelines", "Training",
        "CStudio",
        .product(name: "FlyingSocks", package: "FlyingFox", condition: .when(traits: ["Studio"])),
      ]),

    // The program.
    .executableTarget(
      name: "Commands",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Layers", "Models", "Schedulers", "Pipelines",
        "Training",
        .target(name: "Studio", condition: .when(traits: ["Studio"])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests: one target a module, and what they share.
    .target(
      name: "TestSupport",
      dependencies: ["Tensors", "Images", "Layers", "Models", "Schedulers", "Pipelines"],
      path: "Tests/TestSupport"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "CKernels", "TestSupport"]),
    .testTarget(name: "ImagesTests", dependencies: ["Tensors", "Images", "TestSupport"]),
    .testTarget(
      name: "LatentFilesTests",
      dependencies: ["Tensors", "CKernels", "LatentFiles", "TestSupport"]),
    .testTarget(name: "ModelsTests", dependencies: ["Tensors", "Layers", "Models", "TestSupport"]),
    .testTarget(name: "SchedulersTests", dependencies: ["Tensors", "Schedulers", "TestSupport"]),
    .testTarget(
      name: "PipelinesTests",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Models", "Schedulers", "Pipelines", "TestSupport",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Layers", "Models", "Schedulers", "Pipelines",
        "Training",
        "TestSupport",
      ]),
    .testTarget(
      name: "StudioTests",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Models", "Pipelines", "Training", "Studio",
        "TestSupport",
        .product(name: "FlyingSocks", package: "FlyingFox", condition: .when(traits: ["Studio"])),
      ], exclude: ["Browser"]),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Models", "Pipelines", "Training", "Commands",
        "TestSupport",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

// Only Scripts/fuzz builds this: libFuzzer brings a main function of its own.
if Context.environment["LVAE_FUZZ_BUILD"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzzing",
      dependencies: [
        "Tensors", "Images", "LatentFiles", "Models", "Schedulers", "Pipelines", "Training",
      ],
      path: "Tests/Fuzzing", exclude: ["Corpus"]))
}

/// What every Swift target is held to.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),  // to return a Span
]

for target in package.targets
where target.type != .system
  && !["CKernels", "CModels", "CMPI", "CPNGBridge", "CStudio"].contains(target.name)
{
  target.swiftSettings = strict
  if target.name == "Fuzzing" {
    target.swiftSettings = strict + [.unsafeFlags(["-parse-as-library"])]
  }
}

/// Kernels are optimised in debug builds too, so that tests stay quick; and never contracted
/// by the compiler, so that a kernel rounds alike wherever it is compiled.
var kernelSettings: [CSetting] {
  [
    .unsafeFlags(["-O3", "-ffp-contract=off"]),
    .treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra"),
  ]
}

extension Target {
  /// A library that the system provides, found by pkg-config.
  static func system(_ name: String, pkgConfig: String, apt package: String) -> Target {
    .systemLibrary(
      name: name, path: "Sources/SystemLibraries/\(name)", pkgConfig: pkgConfig,
      providers: [.apt([package])])
  }
}
