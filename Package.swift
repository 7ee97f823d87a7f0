// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Kernels check shapes before they loop, so the loops themselves need no overflow or bounds traps.
let kernelSettings = settings + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]

#if arch(x86_64)
let avx2: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=haswell"]), .define("ZOO_AVX2")]
let avx512: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=x86-64-v4"]), .define("ZOO_AVX512")]
#else
let avx2: [SwiftSetting] = [], avx512: [SwiftSetting] = []
#endif

/// One folder under Plugins/ each. Written out, because SwiftPM caches the evaluated manifest by its text
/// and would not notice a new folder.
let plugins = [
    "Captioner", "DenseCap", "DynamicParameterVQA", "FisherVQA", "FusionVQA", "ImageClassifier", "StackedAttentionVQA",
    "VideoLSTM",
]

let package = Package(
    name: "zoo",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", "4.0.0"..<"5.0.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Headers only: FFmpeg is opened at run time, when a file needs it (see FFmpegLibrary.swift).
        .systemLibrary(
            name: "CFFmpeg", providers: [.apt(["libavformat-dev", "libavcodec-dev", "libswscale-dev", "libavutil-dev"])]),

        .target(name: "Tensors", swiftSettings: kernelSettings),
        // One source, compiled for any machine, for x86-64 with AVX2 and FMA, and with AVX-512 (links to the same folder);
        // the host picks when it starts.
        .target(name: "OpenBLASBackend", dependencies: ["Tensors", "COpenBLAS"], swiftSettings: kernelSettings),
        .target(
            name: "OpenBLASBackendAVX2", dependencies: ["Tensors", "COpenBLAS"],
            swiftSettings: kernelSettings + avx2),
        .target(
            name: "OpenBLASBackendAVX512", dependencies: ["Tensors", "COpenBLAS"],
            swiftSettings: kernelSettings + avx512),
        .target(name: "NeuralNetworks", dependencies: ["Tensors"], swiftSettings: settings),
        .target(
            name: "Checkpoints",
            dependencies: ["Tensors", "CZlib", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings),
        .target(name: "Media", dependencies: ["CPNG", "CTurboJPEG", "CFFmpeg"], swiftSettings: kernelSettings),
        .target(name: "Language", swiftSettings: settings),
        .target(name: "ModelKit", dependencies: ["Tensors", "NeuralNetworks", "Media", "Language"], swiftSettings: settings),
        .target(name: "Runtime", dependencies: ["ModelKit", "Checkpoints"], swiftSettings: settings),
        .target(name: "Training", dependencies: ["ModelKit", "Checkpoints"], swiftSettings: settings),
        .executableTarget(
            name: "zoo",
            dependencies: [
                "Runtime", "Training", "OpenBLASBackend", "OpenBLASBackendAVX2", "OpenBLASBackendAVX512", "COpenBLAS",
                "ModelKit", "Checkpoints",
                "NeuralNetworks", "Media", "Language", "Tensors", "CFFmpeg",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + plugins.map { .target(name: $0) },
            swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"], .when(platforms: [.linux]))]),

        .testTarget(
            name: "TensorsTests",
            dependencies: ["Tensors", "OpenBLASBackend", "OpenBLASBackendAVX2", "OpenBLASBackendAVX512", "COpenBLAS"],
            exclude: ["Reference"], swiftSettings: settings),
        .testTarget(
            name: "NeuralNetworksTests",
            dependencies: ["NeuralNetworks", "OpenBLASBackend", "Checkpoints", "Media", "ModelKit"],
            exclude: ["Reference"], swiftSettings: settings),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "Tensors"], exclude: ["Reference", "Fixtures"],
            swiftSettings: settings),
        .testTarget(name: "MediaTests", dependencies: ["Media"], exclude: ["Reference"], swiftSettings: settings),
        .testTarget(name: "LanguageTests", dependencies: ["Language"], exclude: ["Reference"], swiftSettings: settings),
        .testTarget(
            name: "RuntimeTests",
            dependencies: ["Runtime", "ModelKit", "NeuralNetworks", "Checkpoints", "Media", "Language", "OpenBLASBackend"],
            exclude: ["Reference", "Cards"], swiftSettings: settings),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "ModelKit", "NeuralNetworks", "Tensors", "Media", "Language"],
            exclude: ["Reference"], swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests", dependencies: ["zoo", "Checkpoints", "Media", "Tensors"], swiftSettings: settings),
        // Exports its symbols like the host, so that plugins can be found in it and loaded into it.
        .testTarget(
            name: "PluginTests",
            dependencies: [
                "Runtime", "Training", "ModelKit", "NeuralNetworks", "Tensors", "Checkpoints", "Language", "Media",
                "OpenBLASBackend", "OpenBLASBackendAVX2", "OpenBLASBackendAVX512", "COpenBLAS",
            ] + plugins.map { .target(name: $0) },
            exclude: ["Reference", "Samples", "ForeignPlugin"], swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"], .when(platforms: [.linux]))]),
    ] + plugins.map {
        .target(
            name: $0, dependencies: ["ModelKit", "NeuralNetworks", "Tensors", "Language", "Media"], path: "Plugins/\($0)",
            swiftSettings: settings)
    }
)
