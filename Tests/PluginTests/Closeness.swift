import Testing

/// Records an issue unless every scalar lies within `tolerance` of the expected one, relative to the largest expected
/// magnitude: what layers compute are sums, whose rounding errors grow with the terms and not with the result.
func expectClose(
    _ actual: [Float], _ expected: [Float], tolerance: Float = 1e-5, _ label: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(label): \(actual.count) scalars, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let largest = max(expected.map(abs).max() ?? 0, 1e-30)
    // Written so that a NaN on either side fails.
    for (i, (found, wanted)) in zip(actual, expected).enumerated() where !(abs(found - wanted) / largest <= tolerance) {
        let difference = abs(found - wanted) / largest
        Issue.record("\(label): scalar \(i) is \(found), not \(wanted), off by \(difference)", sourceLocation: sourceLocation)
        return
    }
}
