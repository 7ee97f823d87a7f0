import CFFmpeg
import Foundation

/// The functions of FFmpeg that we call, found at run time.
///
/// FFmpeg brings a hundred shared libraries along. Linked, they would cost every start of the program tens of milliseconds and
/// make it useless where they are not installed, although most runs read a JPEG file. So only FFmpeg's headers are compiled in,
/// and the libraries of the same major version, whose structures the headers describe, are opened when a file needs them. Opening
/// them again costs microseconds; they are never closed, because their threads and tables must outlive every user.
struct FFmpegLibrary {
    static let debianPackages = "libavformat59 libavcodec59 libswscale6 libavutil57"

    // libavformat
    let allocateFormat: @convention(c) () -> UnsafeMutablePointer<AVFormatContext>?
    let openInput:
        @convention(c) (
            UnsafeMutablePointer<UnsafeMutablePointer<AVFormatContext>?>?, UnsafePointer<CChar>?, UnsafePointer<AVInputFormat>?,
            UnsafeMutablePointer<OpaquePointer?>?
        ) -> CInt
    let closeInput: @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<AVFormatContext>?>?) -> Void
    let findStreamInfo: @convention(c) (UnsafeMutablePointer<AVFormatContext>?, UnsafeMutablePointer<OpaquePointer?>?) -> CInt
    let findInputFormat: @convention(c) (UnsafePointer<CChar>?) -> UnsafePointer<AVInputFormat>?
    let findBestStream:
        @convention(c) (
            UnsafeMutablePointer<AVFormatContext>?, AVMediaType, CInt, CInt, UnsafeMutablePointer<UnsafePointer<AVCodec>?>?, CInt
        ) -> CInt
    let readFrame: @convention(c) (UnsafeMutablePointer<AVFormatContext>?, UnsafeMutablePointer<AVPacket>?) -> CInt
    let streamSideData:
        @convention(c) (UnsafePointer<AVStream>?, AVPacketSideDataType, UnsafeMutablePointer<Int>?) -> UnsafeMutablePointer<
            UInt8
        >?
    let allocateIO:
        @convention(c) (
            UnsafeMutablePointer<UInt8>?, CInt, CInt, UnsafeMutableRawPointer?,
            (@convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, CInt) -> CInt)?,
            (@convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, CInt) -> CInt)?,
            (@convention(c) (UnsafeMutableRawPointer?, Int64, CInt) -> Int64)?
        ) -> UnsafeMutablePointer<AVIOContext>?
    let freeIO: @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?) -> Void

    // libavcodec
    let findDecoder: @convention(c) (AVCodecID) -> UnsafePointer<AVCodec>?
    let codecName: @convention(c) (AVCodecID) -> UnsafePointer<CChar>?
    let allocateCodec: @convention(c) (UnsafePointer<AVCodec>?) -> UnsafeMutablePointer<AVCodecContext>?
    let freeCodec: @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<AVCodecContext>?>?) -> Void
    let setParameters: @convention(c) (UnsafeMutablePointer<AVCodecContext>?, UnsafePointer<AVCodecParameters>?) -> CInt
    let openCodec:
        @convention(c) (UnsafeMutablePointer<AVCodecContext>?, UnsafePointer<AVCodec>?, UnsafeMutablePointer<OpaquePointer?>?) ->
            CInt
    let sendPacket: @convention(c) (UnsafeMutablePointer<AVCodecContext>?, UnsafePointer<AVPacket>?) -> CInt
    let receiveFrame: @convention(c) (UnsafeMutablePointer<AVCodecContext>?, UnsafeMutablePointer<AVFrame>?) -> CInt
    let allocatePacket: @convention(c) () -> UnsafeMutablePointer<AVPacket>?
    let freePacket: @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<AVPacket>?>?) -> Void
    let releasePacket: @convention(c) (UnsafeMutablePointer<AVPacket>?) -> Void

    // libavutil
    let allocateFrame: @convention(c) () -> UnsafeMutablePointer<AVFrame>?
    let freeFrame: @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<AVFrame>?>?) -> Void
    let allocate: @convention(c) (Int) -> UnsafeMutableRawPointer?
    let free: @convention(c) (UnsafeMutableRawPointer?) -> Void
    let setOption:
        @convention(c) (UnsafeMutablePointer<OpaquePointer?>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, CInt) -> CInt
    let freeOptions: @convention(c) (UnsafeMutablePointer<OpaquePointer?>?) -> Void
    let pixelFormat: @convention(c) (AVPixelFormat) -> UnsafePointer<AVPixFmtDescriptor>?

    // libswscale
    let makeScaler:
        @convention(c) (
            CInt, CInt, AVPixelFormat, CInt, CInt, AVPixelFormat, CInt, UnsafeMutablePointer<SwsFilter>?,
            UnsafeMutablePointer<SwsFilter>?, UnsafePointer<Double>?
        ) -> OpaquePointer?
    let scale:
        @convention(c) (
            OpaquePointer?, UnsafePointer<UnsafePointer<UInt8>?>?, UnsafePointer<CInt>?, CInt, CInt,
            UnsafePointer<UnsafeMutablePointer<UInt8>?>?, UnsafePointer<CInt>?
        ) -> CInt
    let freeScaler: @convention(c) (OpaquePointer?) -> Void
    let setColorSpace:
        @convention(c) (OpaquePointer?, UnsafePointer<CInt>?, CInt, UnsafePointer<CInt>?, CInt, CInt, CInt, CInt) -> CInt
    let colorCoefficients: @convention(c) (CInt) -> UnsafePointer<CInt>?

    /// Opens the libraries.
    ///
    /// - Parameter name: the file that needs them, for the message.
    init(for name: String) throws(MediaError) {
        let util = try SharedLibrary("libavutil.so.\(LIBAVUTIL_VERSION_MAJOR)", for: name)
        let codec = try SharedLibrary("libavcodec.so.\(LIBAVCODEC_VERSION_MAJOR)", for: name)
        let format = try SharedLibrary("libavformat.so.\(LIBAVFORMAT_VERSION_MAJOR)", for: name)
        let scaling = try SharedLibrary("libswscale.so.\(LIBSWSCALE_VERSION_MAJOR)", for: name)

        allocateFormat = try format.function("avformat_alloc_context")
        openInput = try format.function("avformat_open_input")
        closeInput = try format.function("avformat_close_input")
        findStreamInfo = try format.function("avformat_find_stream_info")
        findInputFormat = try format.function("av_find_input_format")
        findBestStream = try format.function("av_find_best_stream")
        readFrame = try format.function("av_read_frame")
        streamSideData = try format.function("av_stream_get_side_data")
        allocateIO = try format.function("avio_alloc_context")
        freeIO = try format.function("avio_context_free")
        findDecoder = try codec.function("avcodec_find_decoder")
        codecName = try codec.function("avcodec_get_name")
        allocateCodec = try codec.function("avcodec_alloc_context3")
        freeCodec = try codec.function("avcodec_free_context")
        setParameters = try codec.function("avcodec_parameters_to_context")
        openCodec = try codec.function("avcodec_open2")
        sendPacket = try codec.function("avcodec_send_packet")
        receiveFrame = try codec.function("avcodec_receive_frame")
        allocatePacket = try codec.function("av_packet_alloc")
        freePacket = try codec.function("av_packet_free")
        releasePacket = try codec.function("av_packet_unref")
        allocateFrame = try util.function("av_frame_alloc")
        freeFrame = try util.function("av_frame_free")
        allocate = try util.function("av_malloc")
        free = try util.function("av_free")
        setOption = try util.function("av_dict_set")
        freeOptions = try util.function("av_dict_free")
        pixelFormat = try util.function("av_pix_fmt_desc_get")
        makeScaler = try scaling.function("sws_getContext")
        scale = try scaling.function("sws_scale")
        freeScaler = try scaling.function("sws_freeContext")
        setColorSpace = try scaling.function("sws_setColorspaceDetails")
        colorCoefficients = try scaling.function("sws_getCoefficients")

        // FFmpeg talks to the standard error stream; what matters of it, our errors say.
        let setLogLevel: @convention(c) (CInt) -> Void = try util.function("av_log_set_level")
        setLogLevel(AV_LOG_QUIET)
    }

    // What the headers define by macros that Swift does not import.
    static let again = -EAGAIN
    static let endOfFile = -CInt(bitPattern: 0x2046_4F45)  // "EOF "
    static let noTimestamp = Int64.min
}

/// A library opened by its name, and never closed.
private struct SharedLibrary {
    private let handle: UnsafeMutableRawPointer
    private let (name, file): (String, String)

    init(_ name: String, for file: String) throws(MediaError) {
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { throw .libraryMissing(name: file, library: name) }
        (self.handle, self.name, self.file) = (handle, name, file)
    }

    /// The function's type comes from where the result is assigned, and must be the header's.
    func function<Function>(_ symbol: String) throws(MediaError) -> Function {
        guard let address = dlsym(handle, symbol) else { throw .libraryMissing(name: file, library: name) }
        return unsafeBitCast(address, to: Function.self)
    }
}
