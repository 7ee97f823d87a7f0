/// Why a training cannot go on from the file that is where its state would be.
public enum TrainingStateError: Error, CustomStringConvertible, Equatable {
    case notAState(String)
    /// Another card, recipe or data set began it.
    case ofAnotherTraining(String, epochs: Int)

    public var description: String {
        switch self {
        case .notAState(let path): "\(path): is not the state of a training; move it away, or write elsewhere with --out"
        case .ofAnotherTraining(let path, let epochs):
            "\(path): is the state of another training (other card, recipe, options or data) after \(epochs) epochs; "
                + "begin anew with --fresh, which forgets it, or write elsewhere with --out"
        }
    }
}
