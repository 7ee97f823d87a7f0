import Foundation
import ModelKit

extension Regions {
    /// A line for each region: how probable it is that there is something, where (x, y, width, height, in whole pixels), and what.
    var lines: [String] {
        let boxes = regions.map { region in
            let box = region.box
            return [box.x, box.y, box.width, box.height].map { "\(Int($0.rounded()))" }
        }
        let widths = (0..<4).map { column in boxes.map { $0[column].count }.max() ?? 0 }
        return zip(regions, boxes).map { region, box in
            let numbers = zip(box, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
            return "\(Figure.formatted(region.probability, "%.2f"))  (\(numbers.joined(separator: ", ")))  \(region.text)"
        }
    }

    /// An element of `results` in the `results.json` of DenseCap's viewer (`vis/view_results.html` of jcjohnson/densecap), which
    /// draws the picture in its own size: boxes are in pixels of the original from its left upper corner. It takes the logistic
    /// function of the scores itself.
    func viewerResult(name: String) -> JSONValue {
        .object([
            .init("img_name", .string(name)),
            .init(
                "boxes",
                .array(
                    regions.map { region in
                        let box = region.box
                        return .array([box.x, box.y, box.width, box.height].map { .number(Double($0)) })
                    })),
            .init("scores", .array(regions.map { .number(Double($0.score)) })),
            .init("captions", .array(regions.map { .string($0.text) })),
        ])
    }
}

extension Regions.Region {
    /// That there is something.
    var probability: Double { 1 / (1 + exp(-Double(score))) }
}
