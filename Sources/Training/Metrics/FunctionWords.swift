/// Words that say little of what a sentence is about: articles, pronouns, prepositions, conjunctions, auxiliary verbs.
enum FunctionWords {
    /// In lower case.
    static let english: Set<String> = Set(
        """
        a an the this that these those some any each every either neither no none both all such other another same own
        i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself
        it its itself they them their theirs themselves one ones who whom whose which what there here where when while how why
        of in on at by to from with without into onto upon over under above below between among through across along around
        behind beside besides near off out up down about against toward towards during before after until for as than like per via
        and or but nor so if then because though although yet not
        am is are was were be been being do does did doing have has had having will would shall should can could may might must
        's s n't 'm 're 've 'd 'll very too also just only
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
