/// Why a training or a measurement cannot begin.
enum TrainingError: Error, CustomStringConvertible {
    case noRecipe(String)
    case noWeightsEntry(String)
    case notTrainable(String)
    case emptySplit(String)
    case noPhotos(String, split: String, available: [String])
    case noEmbedding(String)
    case noSentencesToJudge(String)
    case embeddingWidth(String, found: Int, expected: Int)

    var description: String {
        switch self {
        case .noRecipe(let card): "\(card): training.recipe: the card names no recipe: add one, or give --recipe FILE"
        case .noWeightsEntry(let card):
            "\(card): weights: there is no entry with the role 'main': add one, so that the weights have a place"
        case .notTrainable(let architecture): "models of the architecture '\(architecture)' cannot be trained"
        case .emptySplit(let folder):
            "\(folder): the data set has no training or no development photos: see 'zoo train --help' for what a folder holds"
        case .noPhotos(let folder, let split, let available):
            "\(folder): the data set has no photos of the split '\(split)'; it has \(available.joined(separator: ", "))"
        case .noSentencesToJudge(let recipe):
            "\(recipe): self_critical: models of regions do not learn from sentences of their own; leave it out"
        case .noEmbedding(let path): "\(path): this model has no word embedding that word vectors could begin"
        case .embeddingWidth(let path, let found, let expected):
            "\(path): the vectors have \(found) numbers and the card's embedding \(expected): "
                + "change hyperparameters.embedding or take other vectors"
        }
    }
}
