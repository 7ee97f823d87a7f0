#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The functions of the HDF5 library that we write with, found at run time.
///
/// We read HDF5 without it, and most runs write nothing. Linked, it would bring curl, TLS and Kerberos along, cost every start
/// milliseconds and make the program useless where it is not installed. So the library is opened when a file is written; opening
/// it again costs microseconds, and it is never closed, because its state belongs to the process.
///
/// Its headers are not needed either. What is declared here is the interface of HDF5 1.10 to 2.0, which agree in it:
/// identifiers have 64 bits (`hid_t`), extents too (`hsize_t`), and a status is negative where a call failed (`herr_t`).
package struct HDF5Library {
    typealias Identifier = Int64
    typealias Status = CInt

    /// The names of HDF5 1.10 and 1.14 in Debian, and of 1.10, 1.12, 1.14 and 2.0 elsewhere.
    package static let names = [
        "libhdf5_serial.so.103", "libhdf5_serial.so.310", "libhdf5.so.103", "libhdf5.so.200", "libhdf5.so.310",
        "libhdf5.so.320",
    ]
    package static let debianPackage = "libhdf5-103-1"

    private let open: @convention(c) () -> Status
    private let setErrorPrinter: @convention(c) (Identifier, UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Status
    private let walkErrors:
        @convention(c) (
            Identifier, CInt, @convention(c) (CUnsignedInt, UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Status,
            UnsafeMutableRawPointer?
        ) -> Status
    private let getVersion:
        @convention(c) (
            UnsafeMutablePointer<CUnsignedInt>, UnsafeMutablePointer<CUnsignedInt>, UnsafeMutablePointer<CUnsignedInt>
        ) -> Status

    // Property lists (H5P)
    let createList: @convention(c) (Identifier) -> Identifier
    let closeList: @convention(c) (Identifier) -> Status
    let setTracksTimes: @convention(c) (Identifier, Bool) -> Status
    let setAlignment: @convention(c) (Identifier, UInt64, UInt64) -> Status
    let setCreatesGroups: @convention(c) (Identifier, CUnsignedInt) -> Status
    let setChunk: @convention(c) (Identifier, CInt, UnsafePointer<UInt64>) -> Status
    let setShuffle: @convention(c) (Identifier) -> Status
    let setDeflate: @convention(c) (Identifier, CUnsignedInt) -> Status

    // Types (H5T)
    let copyType: @convention(c) (Identifier) -> Identifier
    let closeType: @convention(c) (Identifier) -> Status
    let setFields: @convention(c) (Identifier, Int, Int, Int, Int, Int) -> Status
    let setSize: @convention(c) (Identifier, Int) -> Status
    let setExponentBias: @convention(c) (Identifier, Int) -> Status
    let setCharacterSet: @convention(c) (Identifier, CInt) -> Status

    // Files (H5F), extents (H5S), data sets (H5D), attributes (H5A)
    let createFile: @convention(c) (UnsafePointer<CChar>, CUnsignedInt, Identifier, Identifier) -> Identifier
    let closeFile: @convention(c) (Identifier) -> Status
    let createScalarSpace: @convention(c) (CInt) -> Identifier
    let createSpace: @convention(c) (CInt, UnsafePointer<UInt64>, UnsafePointer<UInt64>?) -> Identifier
    let closeSpace: @convention(c) (Identifier) -> Status
    let createDataset:
        @convention(c) (
            Identifier, UnsafePointer<CChar>, Identifier, Identifier, Identifier, Identifier, Identifier
        ) -> Identifier
    let write: @convention(c) (Identifier, Identifier, Identifier, Identifier, Identifier, UnsafeRawPointer?) -> Status
    let closeDataset: @convention(c) (Identifier) -> Status
    let createAttribute:
        @convention(c) (Identifier, UnsafePointer<CChar>, Identifier, Identifier, Identifier, Identifier) -> Identifier
    let writeAttribute: @convention(c) (Identifier, Identifier, UnsafeRawPointer) -> Status
    let closeAttribute: @convention(c) (Identifier) -> Status

    // Identifiers that are there once the library has been initialised
    private let constants: [Constant: UnsafePointer<Identifier>]

    enum Constant: String, CaseIterable {
        case float32 = "H5T_IEEE_F32LE_g"
        case text = "H5T_C_S1_g"
        case fileCreation = "H5P_CLS_FILE_CREATE_ID_g"
        case fileAccess = "H5P_CLS_FILE_ACCESS_ID_g"
        case datasetCreation = "H5P_CLS_DATASET_CREATE_ID_g"
        case linkCreation = "H5P_CLS_LINK_CREATE_ID_g"
    }

    // What the headers define by macros and enumerations.
    static let truncate: CUnsignedInt = 2  // H5F_ACC_TRUNC
    static let scalar: CInt = 0  // H5S_SCALAR
    static let utf8: CInt = 1  // H5T_CSET_UTF8
    static let variableSize = -1  // H5T_VARIABLE
    /// `H5P_DEFAULT`, `H5S_ALL`, `H5E_DEFAULT`
    static let byDefault: Identifier = 0

    /// Opens the library.
    ///
    /// - Parameters:
    ///   - path: the file that needs it, for the message.
    ///   - names: of which the first is taken that can be loaded.
    /// - Throws: `CheckpointError.libraryMissing`.
    package init(for path: String, names: [String] = Self.names) throws(CheckpointError) {
        let library = try SharedLibrary(names, for: path)
        open = try library.function("H5open")
        setErrorPrinter = try library.function("H5Eset_auto2")
        walkErrors = try library.function("H5Ewalk2")
        getVersion = try library.function("H5get_libversion")
        createList = try library.function("H5Pcreate")
        closeList = try library.function("H5Pclose")
        setTracksTimes = try library.function("H5Pset_obj_track_times")
        setAlignment = try library.function("H5Pset_alignment")
        setCreatesGroups = try library.function("H5Pset_create_intermediate_group")
        setChunk = try library.function("H5Pset_chunk")
        setShuffle = try library.function("H5Pset_shuffle")
        setDeflate = try library.function("H5Pset_deflate")
        copyType = try library.function("H5Tcopy")
        closeType = try library.function("H5Tclose")
        setFields = try library.function("H5Tset_fields")
        setSize = try library.function("H5Tset_size")
        setExponentBias = try library.function("H5Tset_ebias")
        setCharacterSet = try library.function("H5Tset_cset")
        createFile = try library.function("H5Fcreate")
        closeFile = try library.function("H5Fclose")
        createScalarSpace = try library.function("H5Screate")
        createSpace = try library.function("H5Screate_simple")
        closeSpace = try library.function("H5Sclose")
        createDataset = try library.function("H5Dcreate2")
        write = try library.function("H5Dwrite")
        closeDataset = try library.function("H5Dclose")
        createAttribute = try library.function("H5Acreate2")
        writeAttribute = try library.function("H5Awrite")
        closeAttribute = try library.function("H5Aclose")
        var constants: [Constant: UnsafePointer<Identifier>] = [:]
        for constant in Constant.allCases {
            constants[constant] = try library.address(constant.rawValue).assumingMemoryBound(to: Identifier.self)
        }
        self.constants = constants
    }

    /// Makes the constants valid, and stops the library from printing its errors to standard error.
    func start() -> Status { min(open(), setErrorPrinter(Self.byDefault, nil, nil)) }

    subscript(constant: Constant) -> Identifier { constants[constant]!.pointee }

    /// The innermost message of the last error; empty if there is none.
    var lastError: String {
        var text = ""
        withUnsafeMutablePointer(to: &text) { text in
            _ = walkErrors(
                Self.byDefault, 0,
                { number, error, text in
                    // H5E_error2_t: three identifiers, a line, the names of function and file, the message.
                    guard number == 0, let message = error?.load(fromByteOffset: 48, as: UnsafePointer<CChar>?.self) else {
                        return 0
                    }
                    text?.assumingMemoryBound(to: String.self).pointee = String(cString: message)
                    return 0
                }, text)
        }
        return text
    }

    /// `1.10.8`
    package var version: String {
        var (major, minor, release) = (CUnsignedInt(0), CUnsignedInt(0), CUnsignedInt(0))
        return getVersion(&major, &minor, &release) >= 0 ? "\(major).\(minor).\(release)" : "found"
    }
}

/// A library opened by its name, and never closed.
private struct SharedLibrary {
    private let handle: UnsafeMutableRawPointer
    private let (name, file): (String, String)

    init(_ names: [String], for file: String) throws(CheckpointError) {
        for name in names {
            guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            (self.handle, self.name, self.file) = (handle, name, file)
            return
        }
        throw .libraryMissing(path: file, library: names.first ?? "")
    }

    func address(_ symbol: String) throws(CheckpointError) -> UnsafeRawPointer {
        guard let address = dlsym(handle, symbol) else { throw .libraryMissing(path: file, library: name) }
        return UnsafeRawPointer(address)
    }

    /// The function's type comes from where the result is assigned, and must be the library's.
    func function<Function>(_ symbol: String) throws(CheckpointError) -> Function {
        try unsafeBitCast(address(symbol), to: Function.self)
    }
}
