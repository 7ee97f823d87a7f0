import CFFmpeg
import COpenBLAS
import Checkpoints
import Foundation

/// What this machine has of what we need.
struct Machine {
    struct Library {
        let name: String
        let purpose: String
        /// Nil where it is missing.
        let version: String?
        /// The Debian packages that bring it to run.
        let packages: [String]
    }

    // MARK: Libraries

    /// The libraries that are linked, and HDF5 and FFmpeg's, which are opened when a file needs them.
    var libraries: [Library] {
        [
            Library(name: "OpenBLAS", purpose: "matrix products", version: openBLASVersion, packages: ["libopenblas0-pthread"]),
            Library(name: "HDF5", purpose: "writing weights", version: hdf5Version, packages: [HDF5Library.debianPackage]),
            Library(name: "libpng", purpose: "PNG", version: pngVersion, packages: ["libpng16-16"]),
            Library(
                name: "TurboJPEG", purpose: "JPEG", version: symbol("tjInitDecompress") == nil ? nil : "found",
                packages: ["libturbojpeg0"]),
            Library(name: "zlib", purpose: "compressed tensors", version: text("zlibVersion"), packages: ["zlib1g"]),
        ]
            + [
                ("libavutil", LIBAVUTIL_VERSION_MAJOR, "avutil_version"),
                ("libavcodec", LIBAVCODEC_VERSION_MAJOR, "avcodec_version"),
                ("libavformat", LIBAVFORMAT_VERSION_MAJOR, "avformat_version"),
                ("libswscale", LIBSWSCALE_VERSION_MAJOR, "swscale_version"),
            ].map { (name: String, major: Int32, function: String) in
                Library(
                    name: name, purpose: "video, WebP, GIF, BMP, TIFF", version: ffmpegVersion("\(name).so.\(major)", function),
                    packages: ["\(name)\(major)"])
            }
    }

    /// A symbol of this process and the libraries linked into it.
    private func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(dlopen(nil, RTLD_NOW), name) }

    private func text(_ function: String) -> String? {
        typealias Function = @convention(c) () -> UnsafePointer<CChar>
        return symbol(function).map { String(cString: unsafeBitCast($0, to: Function.self)()) }
    }

    /// OpenBLAS' own words: version, options, and the kernel that it chose for this processor.
    var openBLASConfiguration: String? { text("openblas_get_config") }
    var openBLASKernel: String? { text("openblas_get_corename") }
    private var openBLASVersion: String? {
        openBLASConfiguration.flatMap { $0.split(separator: " ").first { $0.first?.isNumber ?? false }.map(String.init) }
    }

    private var hdf5Version: String? { try? HDF5Library(for: "").version }

    private var pngVersion: String? {
        typealias Function = @convention(c) () -> UInt32
        return symbol("png_access_version_number").map { function in
            let number = unsafeBitCast(function, to: Function.self)()
            return "\(number / 10000).\(number / 100 % 100).\(number % 100)"
        }
    }

    private func ffmpegVersion(_ file: String, _ function: String) -> String? {
        guard let handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL), let address = dlsym(handle, function) else { return nil }
        typealias Function = @convention(c) () -> UInt32
        let number = unsafeBitCast(address, to: Function.self)()
        return "\(number >> 16).\(number >> 8 & 255).\(number & 255)"
    }

    /// The Debian packages that compiling zoo needs and that are not installed; nil where there is no Debian.
    var missingBuildPackages: [String]? {
        let database = "/var/lib/dpkg/info"
        guard FileManager.default.fileExists(atPath: database) else { return nil }
        return [
            "libopenblas-dev", "libpng-dev", "libturbojpeg0-dev", "zlib1g-dev", "libavformat-dev",
            "libavcodec-dev",
            "libswscale-dev", "libavutil-dev",
        ].filter { package in
            !["", ":amd64", ":arm64"].contains { FileManager.default.fileExists(atPath: "\(database)/\(package)\($0).list") }
        }
    }

    /// Where the compiler is that builds plugins.
    var swiftCompiler: String? {
        let folders = getenv("PATH").map { String(cString: $0) } ?? ""
        return folders.split(separator: ":").map { "\($0)/swiftc" }.first { access($0, X_OK) == 0 }
    }

    // MARK: Processor

    var processor: String {
        field("model name")
            ?? {
                #if arch(x86_64)
                    "x86-64"
                #elseif arch(arm64)
                    "ARM64"
                #else
                    "unknown"
                #endif
            }()
    }

    /// The vector instructions of the processor that matter for what we do.
    var vectorInstructions: [String] {
        let flags = Set((field("flags") ?? field("Features") ?? "").split(separator: " "))
        return ["sse2", "sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve"].filter {
            flags.contains($0[...])
        }
    }

    /// Whether the kernels that were compiled for AVX2 and FMA run here.
    var hasAVX2: Bool { zoo_cpu_has_avx2_and_fma() != 0 }

    /// Whether those that were compiled for AVX-512 do.
    var hasAVX512: Bool { zoo_cpu_has_avx512() != 0 }

    /// What the compiler was allowed to use in the kernels that run here.
    var compiledFor: String {
        #if arch(x86_64)
            hasAVX512 ? zoo_cpu_has_avx512_bf16() != 0 ? "avx512, bf16" : "avx512" : hasAVX2 ? "avx2, fma" : "sse2"
        #elseif arch(arm64)
            "asimd"
        #else
            "none"
        #endif
    }

    /// A field of the first processor. The file repeats them for all, so its beginning is enough.
    private func field(_ name: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: "/proc/cpuinfo"), let start = try? file.read(upToCount: 1 << 13) else {
            return nil
        }
        let line = String(decoding: start, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) }
    }

    var memory: Int { Int(ProcessInfo.processInfo.physicalMemory) }
    /// Threads that can run at a time.
    var threads: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// The machine's cores, at most as many as may run this process: two threads of one core share its arithmetic, and only
    /// delay each other in kernels that keep it busy.
    static var physicalCores: Int {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        #if os(Linux)
            var cores: Set<String> = []
            for processor in 0..<ProcessInfo.processInfo.processorCount {
                let topology = "/sys/devices/system/cpu/cpu\(processor)/topology/"
                guard let core = try? String(contentsOfFile: topology + "core_id", encoding: .utf8),
                    let package = try? String(contentsOfFile: topology + "physical_package_id", encoding: .utf8)
                else { return processors }
                cores.insert(package + core)
            }
            return min(processors, max(1, cores.count))
        #else
            return processors
        #endif
    }

    /// Whether files can be made in a folder, or the folder itself where it is not there.
    static func isWritable(_ folder: String) -> Bool {
        var path = folder
        while !FileManager.default.fileExists(atPath: path) {
            let parent = (path as NSString).deletingLastPathComponent
            if parent == path || parent.isEmpty { return false }
            path = parent
        }
        return access(path, W_OK | X_OK) == 0
    }
}
