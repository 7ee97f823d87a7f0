import Foundation
import Language

/// CIDEr-D of single sentences against the references of their photo, with the weights of n-grams taken from all training
/// photos: the reward of self-critical training.
///
/// The end of a sentence counts as a word, without which a model learns to break off after "in a" (Rennie et al. 2017, §4).
package struct CIDErReward: Sendable {
    /// One sentence's weight of every n-gram, by order, and their lengths.
    private struct Vector: Sendable {
        var weights: [[UInt64: Float]] = []
        var norms: [Float] = []
        var length = 0
    }

    private static let orders = 4
    private var numbers: [String: UInt64] = [:]
    private var inverseFrequency: [UInt64: Float] = [:]
    /// What an n-gram weighs that no photo's references have.
    private var unseen: Float = 0
    private var references: [[Vector]] = []

    /// - Parameter photos: the captions of every photo.
    package init(_ photos: [[String]]) {
        // The first number stands for the end of a sentence, so that every n-gram is a number of 4 × 16 bits.
        let sentences = photos.map { captions in captions.map { number($0) } }
        var photosWith: [UInt64: Int] = [:]
        for captions in sentences {
            for ngram in Set(captions.flatMap { Self.ngrams($0).flatMap(\.keys) }) { photosWith[ngram, default: 0] += 1 }
        }
        unseen = Float(log(Double(max(photos.count, 1))))
        inverseFrequency = photosWith.mapValues { Float(log(Double(photos.count)) - log(Double($0))) }
        references = sentences.map { captions in captions.map(vector) }
    }

    /// - Parameter photo: its place among the photos.
    package func callAsFunction(_ sentence: String, photo: Int) -> Float {
        // Words that no reference has are told apart within the sentence.
        var unknown: [String: UInt64] = [:]
        var words = Self.words(sentence).map { word in
            if let known = numbers[word] ?? unknown[word] { return known }
            unknown[word] = 0xFFFF - UInt64(unknown.count % 256)
            return unknown[word]!
        }
        words.append(1)
        let candidate = vector(words)
        var sum: Float = 0
        for reference in references[photo] {
            let difference = Float(candidate.length - reference.length)
            var cosines: Float = 0
            for n in 0..<Self.orders {
                var product: Float = 0
                for (ngram, weight) in candidate.weights[n] {
                    if let other = reference.weights[n][ngram] { product += min(weight, other) * other }
                }
                let norms = candidate.norms[n] * reference.norms[n]
                cosines += norms > 0 ? product / norms : 0
            }
            sum += cosines * exp(-difference * difference / 72)
        }
        return 10 * sum / Float(Self.orders) / Float(max(references[photo].count, 1))
    }

    private static func words(_ sentence: String) -> [String] { Tokenizer.letters.words(in: sentence) }

    private mutating func number(_ sentence: String) -> [UInt64] {
        Self.words(sentence).map { word in
            if let known = numbers[word] { return known }
            // Beyond 65,000 words the last share a number.
            let fresh = UInt64(min(numbers.count + 2, 0xFE00))
            numbers[word] = fresh
            return fresh
        } + [1]
    }

    /// How often each n-gram occurs, by order.
    private static func ngrams(_ words: [UInt64]) -> [[UInt64: Int]] {
        (1...orders).map { n in
            var counts: [UInt64: Int] = [:]
            if words.count >= n {
                for start in 0...words.count - n {
                    counts[words[start..<start + n].reduce(0) { $0 << 16 | $1 }, default: 0] += 1
                }
            }
            return counts
        }
    }

    private func vector(_ words: [UInt64]) -> Vector {
        var vector = Vector(length: words.count)
        for counts in Self.ngrams(words) {
            var weights: [UInt64: Float] = [:], square: Float = 0
            for (ngram, count) in counts {
                let weight = Float(count) * (inverseFrequency[ngram] ?? unseen)
                weights[ngram] = weight
                square += weight * weight
            }
            vector.weights.append(weights)
            vector.norms.append(square.squareRoot())
        }
        return vector
    }
}
