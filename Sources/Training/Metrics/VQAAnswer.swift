/// Answers as VQA's evaluation compares them (`vqaEvaluation/vqaEval.py` of the data set's authors), with its mistakes:
/// published figures have them.
public enum VQAAnswer {
    /// A predicted answer as it is compared: "The  Dogs, two" becomes "dogs 2".
    public static func normalized(_ answer: String) -> String {
        let line = String(String.UnicodeScalarView(answer.unicodeScalars.map { $0 == "\n" || $0 == "\t" ? " " : $0 }))
        let words = line.unicodeScalars
        guard let first = words.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = words.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return withPlainWords(withoutPunctuation(String(words[first...last])))
    }

    private static let punctuation: Set<Unicode.Scalar> = [
        ";", "/", "[", "]", "\"", "{", "}", "(", ")", "=", "+", "\\", "_", "-", ">", "<", "@", "`", ",", "?", "!",
    ]

    /// `processPunctuation`, which people's answers pass, too.
    ///
    /// A mark that stands beside a space anywhere in the answer is deleted everywhere, otherwise it becomes a space; in an answer
    /// with a comma between digits all marks are deleted. Then periods go unless a digit follows: `(?!<=\d)(\.)(?!\d)` was meant
    /// to look behind, too, but does not. At most 32 go, since `re.UNICODE` (32) was passed as their number.
    public static func withoutPunctuation(_ answer: String) -> String {
        let scalars = Array(answer.unicodeScalars)
        guard scalars.contains(where: { $0 == "." || punctuation.contains($0) }) else { return answer }
        var besideSpace: Set<Unicode.Scalar> = []
        var hasThousands = false
        for (index, scalar) in scalars.enumerated() where punctuation.contains(scalar) {
            let before = index > 0 ? scalars[index - 1] : nil
            let after = index + 1 < scalars.count ? scalars[index + 1] : nil
            if before == " " || after == " " { besideSpace.insert(scalar) }
            if scalar == ",", isDigit(before), isDigit(after) { hasThousands = true }
        }
        let spaced = scalars.compactMap { scalar -> Unicode.Scalar? in
            guard punctuation.contains(scalar) else { return scalar }
            return hasThousands || besideSpace.contains(scalar) ? nil : " "
        }
        var result = String.UnicodeScalarView()
        var periods = 0
        for (index, scalar) in spaced.enumerated() {
            if scalar == ".", periods < 32, !isDigit(index + 1 < spaced.count ? spaced[index + 1] : nil) {
                periods += 1
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// `processDigitArticle`: lower case, numbers up to ten as digits, no articles, contractions with their apostrophes, words
    /// with one space between them.
    public static func withPlainWords(_ answer: String) -> String {
        answer.lowercased().unicodeScalars.split(whereSeparator: \.properties.isWhitespace).compactMap { word in
            let word = String(word)
            if let digit = digits[word] { return digit }
            return articles.contains(word) ? nil : contractions[word] ?? word
        }.joined(separator: " ")
    }

    /// Python 2's `\d` without its flag for Unicode.
    private static func isDigit(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { ("0"..."9").contains($0) } ?? false }

    private static let articles: Set<String> = ["a", "an", "the"]

    private static let digits: [String: String] = [
        "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
        "eight": "8", "nine": "9", "ten": "10",
    ]

    /// Contractions by what is left of them when one apostrophe is missing. Words that are words without it, as "were" and "ill",
    /// are not among them. The original's entries with capitals ("Im") never apply and are not here.
    package static let contractions: [String: String] = {
        var table: [String: String] = [:]
        for contraction in complete.split(whereSeparator: \.isWhitespace).map(String.init) {
            for (place, character) in zip(contraction.indices, contraction) where character == "'" {
                var left = contraction
                left.remove(at: place)
                table[left] = contraction
            }
        }
        // The original has this one the wrong way round.
        table["somebody'd"] = "somebodyd"
        return table
    }()

    private static let complete = """
        ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
        how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock
        oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
        someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's
        they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd
        where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll
        y'all'd've you'd you'd've you'll you're you've
        """
}
