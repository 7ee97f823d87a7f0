import Checkpoints
import Foundation
import Language
import Media
import ModelKit
import NeuralNetworks
import Runtime
import Training

/// An error as the command line tells it: one sentence on standard error, and an exit status. The one place that knows
/// which of our errors is whose fault.
struct Failure: Error {
    let status: ExitStatus
    /// Names the file, the place in it and the remedy.
    let sentence: String

    init(_ status: ExitStatus, _ sentence: String) {
        self.status = status
        self.sentence = sentence.last.map { ".?!".contains($0) } ?? false ? sentence : sentence + "."
    }

    init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as CardError: self.init(error.status, error.description)
        case let error as CheckpointError: self.init(error.status, error.description)
        case let error as ConversionError: self.init(error.status, error.description)
        case let error as TensorMapError: self.init(.badData, error.description)
        case let error as TransformError: self.init(.badData, error.description)
        case let error as MediaError: self.init(error.kind.status, error.description)
        case let error as VocabularyError: self.init(error.status, error.description)
        case let error as WordVectorsError: self.init(error.status, error.description)
        case let error as DataSetError: self.init(error.status, error.description)
        case let error as CaptionMetricsError: self.init(.badData, error.description)
        case let error as VQAScoresError: self.init(.badData, error.description)
        case let error as WordNetError: self.init(error.status, error.description)
        case let error as InputError: self.init(error.status, error.description)
        case let error as LayerError: self.init(.badData, error.description)
        case let error as PluginError: self.init(error.status, error.description)
        case let error as WeightsError: self.init(.badData, error.description)
        case let error as TrainingStateError: self.init(.usage, error.description)
        case let error as TrainingError: self.init(error.status, error.description)
        case let error as CocoaError: self.init(error)
        default:
            self.init(.bug, "unexpected error: \(error); this is a bug of zoo, please report it with the command that you ran")
        }
    }

    /// What Foundation says about files; anything else of it is our bug.
    private init(_ error: CocoaError) {
        let path = error.filePath ?? error.url?.path ?? "a file"
        switch error.code {
        case .fileReadNoSuchFile: self.init(.missingInput, "\(path): there is no such file; check the path")
        case .fileNoSuchFile:
            self.init(.cannotCreate, "\(path): cannot be written, because its folder is not there; make it first")
        case .fileReadNoPermission: self.init(.missingInput, "\(path): cannot be read; check its permissions")
        case .fileReadInapplicableStringEncoding, .fileReadUnknownStringEncoding:
            self.init(.badData, "\(path): is not UTF-8 text; save it as UTF-8")
        case .fileReadCorruptFile, .fileReadTooLarge:
            self.init(.badData, "\(path): cannot be read: \(error.localizedDescription)")
        case .fileWriteNoPermission, .fileWriteOutOfSpace, .fileWriteVolumeReadOnly, .fileWriteFileExists,
            .fileWriteInvalidFileName:
            self.init(.cannotCreate, "\(path): cannot be written: \(error.localizedDescription)")
        default:
            self.init(.bug, "unexpected error: \(error); this is a bug of zoo, please report it with the command that you ran")
        }
    }
}

extension CardError {
    fileprivate var status: ExitStatus {
        switch self {
        case .unreadable, .missingFile, .notFound, .missingBackbone, .notRegistered: .missingInput
        case .noUserCatalogue, .noSchema: .unavailable
        case .alreadyRegistered, .unwritable: .cannotCreate
        case .tooLarge, .syntax, .unknownKey, .missingKey, .wrongType, .null, .outOfRange, .notOneOf, .wrongCount, .invalid,
            .unsupportedVersion, .malformed, .nameDiffersFromFile, .missingForTask, .duplicate, .unverifiable, .leavesCatalogue,
            .absolutePath, .inputSizeDiffers, .wrongSize, .wrongDigest, .wrongLength, .unusable, .missingDigest, .backboneCycle,
            .noBackbone:
            .badData
        }
    }
}

extension CheckpointError {
    fileprivate var status: ExitStatus {
        switch self {
        case .unreadable: .missingInput
        case .unwritable: .cannotCreate
        case .notWritable: .usage
        case .libraryMissing: .unavailable
        case .unknownFormat, .truncated, .malformed, .unsupported, .refused, .tooLarge, .corrupt, .noSuchTensor, .shapeMismatch,
            .unstorable:
            .badData
        }
    }
}

extension ConversionError {
    fileprivate var status: ExitStatus {
        switch self {
        case .checkpoint(let error): error.status
        case .rules: .badData
        }
    }
}

extension MediaError.Kind {
    fileprivate var status: ExitStatus {
        switch self {
        case .missingInput: .missingInput
        case .badData: .badData
        case .unavailable: .unavailable
        case .cannotCreate: .cannotCreate
        }
    }
}

extension VocabularyError {
    fileprivate var status: ExitStatus {
        switch self {
        case .unreadable: .missingInput
        case .unwritable: .cannotCreate
        default: .badData
        }
    }
}

extension WordVectorsError {
    fileprivate var status: ExitStatus { if case .unreadable = self { .missingInput } else { .badData } }
}

extension DataSetError {
    fileprivate var status: ExitStatus {
        switch self {
        case .noFolder, .missingFile, .unreadable, .missingImages, .noClips: .missingInput
        case .heldBack: .usage
        default: .badData
        }
    }
}

extension WordNetError {
    fileprivate var status: ExitStatus {
        switch self {
        case .missing: .unavailable
        case .unreadable: .missingInput
        case .badEntry, .badSense, .endless: .badData
        }
    }
}

extension InputError {
    fileprivate var status: ExitStatus {
        switch self {
        case .missing, .emptyQuestion, .unknownAnswer: .usage
        case .unknownWords, .longQuestion: .badData
        case .media(let error): error.kind.status
        case .missingAsset, .unsuitableAsset, .unsuitableHyperparameter: .badData
        }
    }
}

extension PluginError {
    fileprivate var status: ExitStatus {
        switch self {
        case .unknown, .cannotOpen, .missingSymbol, .otherVersion, .ownCore, .noCompiler: .unavailable
        case .buildFailed: .badData
        case .noSources: .missingInput
        }
    }
}

extension TrainingError {
    fileprivate var status: ExitStatus {
        switch self {
        case .noRecipe, .noWeightsEntry, .noEmbedding, .noSentencesToJudge, .embeddingWidth: .badData
        case .notTrainable: .usage
        case .emptySplit, .noPhotos: .missingInput
        }
    }
}
