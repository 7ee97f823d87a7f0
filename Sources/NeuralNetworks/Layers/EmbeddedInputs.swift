public import Tensors
import Synchronization

/// What an LSTM takes in of words: the products of its input weights with their embeddings, remembered word by word.
///
/// A product depends on the word alone, and a few hundred words make up nearly all captions: after some of them, a step
/// reads one row instead of the whole matrix.
public final class EmbeddedInputs: Sendable {
    private let embedding: Embedding, lstm: LSTM
    private let limit: Int
    private let known = Mutex<[Int: Tensor]>([:])

    /// - Parameters:
    ///   - scope: while its parameters change, nothing is remembered.
    ///   - memory: bytes that may be kept.
    public init(_ embedding: Embedding, _ lstm: LSTM, in scope: ParameterScope, memory: Int = 32 << 20) {
        (self.embedding, self.lstm) = (embedding, lstm)
        limit = scope.store.purpose == .training ? 0 : memory / (4 * lstm.hidden * MemoryLayout<Float>.stride)
    }

    /// `[ids, 4·hidden]`. Every id must be in the embedding's table.
    public func callAsFunction(_ ids: [Int]) -> Tensor {
        if limit == 0 { return lstm.inputs(embedding(ids)) }
        let found = known.withLock { known in ids.map { known[$0] } }
        let missing = Set(zip(ids, found).filter { $1 == nil }.map(\.0)).sorted()
        if missing.isEmpty { return .concatenated(found.map { $0! }, axis: 0) }
        let products = lstm.inputs(embedding(missing))
        // A row of its own each, or one word would keep the memory of all that were asked for with it.
        let rows = missing.indices.map { Tensor(products[$0].scalars, [1, 4 * lstm.hidden], on: products.backend) }
        let fresh = Dictionary(uniqueKeysWithValues: zip(missing, rows))
        known.withLock { known in
            for (id, row) in fresh where known.count < limit { known[id] = row }
        }
        return .concatenated(zip(ids, found).map { $1 ?? fresh[$0]! }, axis: 0)
    }
}
