import Foundation
import Testing
import Training

struct RegionDataSetTests {
    private static let files = [
        "images/a.jpg": "", "images/b.jpg": "", "images/c.jpg": "", "images/d.jpg": "",
        "train.txt": "b.jpg\nimages/a.jpg\n", "dev.txt": "c.jpg\nd.jpg\n",
        "regions.json": """
        [{"image": "a.jpg", "W": 200, "H": 100, "regions": [
           {"entity": "1", "boxes": [[20, 10, 120, 60], [0, 0, 200, 100]], "phrases": ["Two dogs", "two brown dogs", "Two dogs"]},
           {"entity": "2", "boxes": [[150, 50, 250, 120]], "phrases": [" a ball "]}]},
         {"image": "c.jpg", "W": 50, "H": 50.0, "regions": [{"entity": "3", "boxes": [[0, 5, 10, 10]], "phrases": ["x"]}]},
         {"image": "b.jpg", "W": 10, "H": 10, "regions": [
           {"entity": "4", "boxes": [[3, 3, 3, 9], [3, 9, 5, 8], [11, 0, 12, 10], [1, 1, 2, 2]], "phrases": ["y"]},
           {"entity": "5", "boxes": [[1, 1, 5, 5]], "phrases": ["", " "]}]},
         {"image": "d.jpg", "W": 10, "H": 10, "regions": []},
         {"image": "elsewhere.jpg", "W": 10, "H": 10, "regions": [{"entity": "6", "boxes": [[1, 1, 2, 2]], "phrases": ["z"]}]}]
        """,
    ]

    private static func read(_ changes: [String: String]) throws -> RegionDataSet {
        let folder = try TemporaryFolder(files.merging(changes) { $1 })
        return try RegionDataSet(folder: folder.url)
    }

    @Test func readsFlickr8k() throws {
        let folder = try TemporaryFolder(Self.files), set = try RegionDataSet(folder: folder.url)
        #expect(set.name == "Flickr8k")
        #expect(set.availableSplits == [.train, .val])
        // In the order of the split's file; "d.jpg" has no regions, and no split names "elsewhere.jpg".
        #expect(set[.train].map(\.name) == ["b.jpg", "a.jpg"])
        #expect(set[.val].map(\.name) == ["c.jpg"])
        #expect(set[.test].isEmpty)
        #expect(FileManager.default.fileExists(atPath: set[.val][0].file.path))
        #expect(set[.val][0].regions == [.init(box: .init(x: 0, y: 0.1, width: 0.2, height: 0.1), phrases: ["x"])])
    }

    /// The entity's phrases go with each of its boxes; what leaves the photo is cut off.
    @Test func makesARegionOfEveryBox() throws {
        let regions = try Self.read([:])[.train][1].regions
        let dogs = ["Two dogs", "two brown dogs", "Two dogs"]
        #expect(
            regions == [
                .init(box: .init(x: 0.1, y: 0.1, width: 0.5, height: 0.5), phrases: dogs),
                .init(box: .init(x: 0, y: 0, width: 1, height: 1), phrases: dogs),
                .init(box: .init(x: 0.75, y: 0.5, width: 0.25, height: 0.5), phrases: ["a ball"]),
            ])
    }

    @Test func leavesOutBoxesWithoutArea() throws {
        let regions = try Self.read([:])[.train][0].regions
        #expect(regions == [.init(box: .init(x: 0.1, y: 0.1, width: 0.1, height: 0.1), phrases: ["y"])])
    }

    @Test(arguments: [
        (
            #"[{"image": "a.jpg", "W": 9, "H": 9, "regions": [{"boxes": [[1, 2, 3]], "phrases": ["x"]}]}]"#,
            "regions.json: the region 1 of the image 'a.jpg' has a box of 3 numbers; expected [x1, y1, x2, y2]."
        ),
        (
            #"[{"image": "a.jpg", "W": 0, "H": 9, "regions": []}]"#,
            "the image 'a.jpg' has the size W 0, H 9; expected numbers greater than 0."
        ),
        (#"[{"image": "../a.jpg", "W": 9, "H": 9, "regions": []}]"#, "'../a.jpg' is not the name of a file"),
        (#"[{"image": "a.jpg", "W": 9, "H": 9}]"#, "'regions' is missing in 'Index 0'"),
        (#"[{"image": "a.jpg", "W": 9, "H": 9, "regions": [{"boxes": [[1, "2", 3, 4]], "phrases": []}]}]"#, "Index 0.regions"),
        (
            #"[{"image": "a.jpg", "W": 9, "H": 9, "regions": []}, {"image": "a.jpg", "W": 9, "H": 9, "regions": []}]"#,
            "names the image 'a.jpg' twice"
        ),
        ("[]", "regions.json: holds no marked regions of the images that train.txt, dev.txt and test.txt list."),
        (#"{"#, "is not what was expected"),
    ])
    func explainsWhatIsWrong(json: String, sentence: String) throws {
        let error = #expect(throws: DataSetError.self) { try Self.read(["regions.json": json]) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test func namesWhatIsMissingOrTwice() throws {
        var files = Self.files
        files["images/a.jpg"] = nil
        var folder = try TemporaryFolder(files)
        let missing = #expect(throws: DataSetError.self) { try RegionDataSet(folder: folder.url) }
        #expect(missing?.description.hasSuffix("/images: the image 'a.jpg' is missing.") == true)
        files["regions.json"] = nil
        folder = try TemporaryFolder(files)
        #expect(throws: DataSetError.unrecognizedRegions(folder: folder.url.path)) { try RegionDataSet(folder: folder.url) }
        let shared = #expect(throws: DataSetError.self) { try Self.read(["dev.txt": "a.jpg\n"]) }
        #expect(shared?.description.contains("the image 'a.jpg' is in train and in val") == true)
        let repeated = #expect(throws: DataSetError.self) { try Self.read(["dev.txt": "c.jpg\nc.jpg\n"]) }
        #expect(repeated?.description.contains("dev.txt: names the image 'c.jpg' twice") == true)
    }

    private static let genome = [
        "VG_100K/1.jpg": "", "VG_100K_2/2.jpg": "", "densecap_splits.json": #"{"train": [2, 3], "val": [1], "test": []}"#,
        "image_data.json": """
        [{"image_id": 1, "width": 200, "height": 100, "url": "x"}, {"image_id": 2, "width": 10, "height": 10},
         {"image_id": 3, "width": 10, "height": 10}]
        """,
        "region_descriptions.json": """
        [{"id": 1, "regions": [
           {"region_id": 5, "x": 20, "y": 10, "width": 100, "height": 50, "phrase": "a dog ", "image_id": 1},
           {"region_id": 6, "x": 150, "y": 50, "width": 100, "height": 70, "phrase": "ball", "image_id": 1},
           {"region_id": 7, "x": 0, "y": 0, "width": 0, "height": 70, "phrase": "line", "image_id": 1},
           {"region_id": 8, "x": 0, "y": 0, "width": 9, "height": 70, "phrase": "", "image_id": 1}]},
         {"id": 2, "regions": [{"region_id": 9, "x": 0, "y": 0, "width": 5, "height": 5, "phrase": "x", "image_id": 2}]},
         {"id": 3, "regions": []}]
        """,
    ]

    @Test func readsVisualGenome() throws {
        let folder = try TemporaryFolder(Self.genome), set = try RegionDataSet(folder: folder.url)
        #expect(set.name == "Visual Genome" && set.availableSplits == [.train, .val])
        #expect(set[.train].map(\.name) == ["2.jpg"] && set[.val].map(\.name) == ["1.jpg"])
        #expect(
            set[.val][0].regions == [
                .init(box: .init(x: 0.1, y: 0.1, width: 0.5, height: 0.5), phrases: ["a dog"]),
                .init(box: .init(x: 0.75, y: 0.5, width: 0.25, height: 0.5), phrases: ["ball"]),
            ])
        #expect(FileManager.default.fileExists(atPath: set[.train][0].file.path))
    }

    @Test(arguments: [
        ("image_data.json", nil, "has no 'image_data.json', which this data set needs"),
        ("densecap_splits.json", nil, "has no 'densecap_splits.json', which this data set needs"),
        ("image_data.json", "[]", "image_data.json: the image '1.jpg' has the size W 0, H 0"),
        ("densecap_splits.json", #"{"train": [4]}"#, "holds no marked regions of the images that densecap_splits.json list"),
        ("densecap_splits.json", #"{"train": [1], "val": [1]}"#, "the image '1.jpg' is in train and in val"),
        ("VG_100K/1.jpg", nil, "the image '1.jpg' is missing"),
        ("region_descriptions.json", #"[{"id": 1, "regions": [{"x": 1}]}]"#, "'y' is missing in"),
    ])
    func explainsWhatIsWrongWithVisualGenome(file: String, content: String?, sentence: String) throws {
        var files = Self.genome
        files[file] = content
        let folder = try TemporaryFolder(files)
        let error = #expect(throws: DataSetError.self) { try RegionDataSet(folder: folder.url) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test(.enabled(if: SharedData.regions != nil, "shared/data/flickr8k/regions.json is missing"))
    func readsTheWholeOfFlickr8k() throws {
        let set = try RegionDataSet(folder: #require(SharedData.regions))
        #expect(set[.train].count == 6091)
        #expect(set[.val].count == 1000)
        #expect(set[.train].reduce(0) { $0 + $1.regions.count } == 43_342)
        #expect(set[.val].reduce(0) { $0 + $1.regions.count } == 7_442)
        // The file's first: [8, 152, 108, 340] of 375×500.
        let first = try #require(set[.train].first?.regions.first)
        #expect(set[.train][0].name == "1000268201_693b08cb0e.jpg")
        #expect(abs(first.box.x - 8 / 375) < 1e-12 && abs(first.box.width - 100 / 375) < 1e-12)
        #expect(abs(first.box.y - 152 / 500) < 1e-12 && abs(first.box.height - 188 / 500) < 1e-12)
        #expect(first.phrases == ["A child", "A little girl", "A little girl", "A little girl", "A girl"])
    }
}
