import Foundation
import Testing
import Training

struct QuestionDataSetTests {
    // MARK: DAQUAR

    private static let daquar = [
        "images/b.jpg": "", "images/a.jpg": "", "images/c.jpg": "", "images/unused.jpg": "",
        "train.tsv": """
        image\tquestion\tanswer
        b.jpg\twhat is on the desk ?\tbook, scissor, tape_dispenser
        a.jpg\thow many chairs are there\t2

        b.jpg\twhat is red\tcarton
        c.jpg\twhat is on the desk ?\tlamp

        """,
    ]

    @Test func readsDAQUAR() throws {
        let folder = try TemporaryFolder(Self.daquar)
        let set = try QuestionDataSet(folder: folder.url, heldBack: 0)
        #expect(set.name == "DAQUAR")
        #expect(set.availableSplits == [.train])
        #expect(set[.train].map(\.name) == ["b.jpg", "a.jpg", "c.jpg"])
        #expect(set[.train][0].file == folder.url.appendingPathComponent("images/b.jpg"))
        let questions = set.questions(.train)
        #expect(questions.map(\.id) == [1, 3, 2, 4])
        #expect(
            questions.map(\.text) == [
                "what is on the desk ?", "what is red", "how many chairs are there", "what is on the desk ?",
            ])
        #expect(questions[0].answer == "book, scissor, tape_dispenser")
        #expect(questions[0].answers == ["book, scissor, tape_dispenser"])
        #expect(questions[0].parts == ["book", "scissor", "tape_dispenser"])
        #expect(questions[1].parts == ["carton"])
        #expect(QuestionDataSet.Question.parts(of: " a , b c,") == ["a", "b c", ""])
        #expect(QuestionDataSet.Question.parts(of: "") == [""])
        #expect(questions[0].questionType == nil && questions[0].answerType == nil && questions[0].choices.isEmpty)
        #expect(set[.val].isEmpty && set[.test].isEmpty)
    }

    @Test func readsDAQUARsOwnSplits() throws {
        var files = Self.daquar
        files["images/d.jpg"] = ""
        files["val.tsv"] = "image\tquestion\tanswer\r\nd.jpg\twhat is this\tbed\r\n"
        let folder = try TemporaryFolder(files)
        // There is a validation split, so nothing is held back.
        let set = try QuestionDataSet(folder: folder.url, heldBack: 2)
        #expect(set[.train].count == 3)
        #expect(set[.val].flatMap(\.questions) == [.init(id: 5, text: "what is this", answer: "bed", answers: ["bed"])])
        files["test.tsv"] = "image\tquestion\tanswer\na.jpg\twhat is this\tbed\n"
        let shared = try TemporaryFolder(files)
        #expect(throws: DataSetError.sharedImage("a.jpg", splits: [.train, .test], folder: shared.url.path)) {
            try QuestionDataSet(folder: shared.url)
        }
    }

    @Test func findsImagesElsewhere() throws {
        var files = Self.daquar
        for name in ["a", "b", "c"] {
            files["images/\(name).jpg"] = nil
            files["photos/\(name).jpg"] = ""
        }
        let folder = try TemporaryFolder(files)
        let photos = folder.url.appendingPathComponent("photos")
        let set = try QuestionDataSet(folder: folder.url, images: photos, heldBack: 0)
        #expect(set[.train][1].file == photos.appendingPathComponent("a.jpg"))
        let error = #expect(throws: DataSetError.self) { try QuestionDataSet(folder: folder.url) }
        #expect(error == .missingImages(first: "b.jpg", count: 3, folder: folder.url.appendingPathComponent("images").path))
    }

    @Test(arguments: [
        ("", "/train.tsv, line 1: expected 'image', 'question' and 'answer' between tabs, not ''."),
        (
            "image,question,answer\n",
            "line 1: expected 'image', 'question' and 'answer' between tabs, not 'image,question,answer'."
        ),
        ("image\tquestion\tanswer\n", "/train.tsv: holds no questions."),
        (
            "image\tquestion\tanswer\na.jpg\twhat is red\n",
            "/train.tsv, line 2: expected an image, a question and an answer between tabs, not 'a.jpg what is red'."
        ),
        ("image\tquestion\tanswer\n\na.jpg\twhat\t \n", "train.tsv, line 3: expected an image, a question and an answer"),
        ("image\tquestion\tanswer\na.jpg\twhat\tb\tc\n", "train.tsv, line 2: expected an image, a question and an answer"),
        (
            "image\tquestion\tanswer\n../a.jpg\twhat\tb\n",
            "/train.tsv: '../a.jpg' is not the name of a file in the images' folder."
        ),
        ("image\tquestion\tanswer\n/etc/passwd\twhat\tb\n", "'/etc/passwd' is not the name of a file in the images' folder."),
        ("image\tquestion\tanswer\nz.jpg\twhat\tb\n", "/images: the image 'z.jpg' is missing."),
        ("image\tquestion\tanswer\nimages/a.jpg\twhat\tb\n", "/images: the image 'images/a.jpg' is missing."),
        (
            "image\tquestion\tanswer\na.jpg\twhat\tb\n",
            "of 1 image 5 cannot be held back for validation; give a number from 0 to 0."
        ),
    ])
    func explainsWhatIsWrongWithDAQUAR(content: String, sentence: String) throws {
        var files = Self.daquar
        files["train.tsv"] = content
        let folder = try TemporaryFolder(files)
        let error = #expect(throws: DataSetError.self) { try QuestionDataSet(folder: folder.url, heldBack: 5) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test func refusesBinaryTables() throws {
        let folder = try TemporaryFolder(Self.daquar)
        let url = folder.url.appendingPathComponent("train.tsv")
        try Data([0x69, 0xFF, 0xFE, 0x0A]).write(to: url)
        #expect(throws: DataSetError.unreadable(file: url.path, reason: "it is not UTF-8 text")) {
            try QuestionDataSet(folder: folder.url)
        }
    }

    // MARK: Holding back

    @Test func holdsBackImagesWithAllTheirQuestions() throws {
        var files: [String: String] = [:], table = "image\tquestion\tanswer\n"
        for question in 0..<90 {
            files["images/\(question % 30).jpg"] = ""
            table += "\(question % 30).jpg\tquestion \(question)\tyes\n"
        }
        files["train.tsv"] = table
        let folder = try TemporaryFolder(files)
        func names(_ heldBack: Int?, seed: UInt64 = 1) throws -> [String] {
            let set = try QuestionDataSet(folder: folder.url, heldBack: heldBack, seed: seed)
            #expect(Set(set[.train].map(\.name)).isDisjoint(with: set[.val].map(\.name)))
            #expect(set[.train].count + set[.val].count == 30)
            #expect((set[.train] + set[.val]).allSatisfy { $0.questions.count == 3 })
            // The order of the file.
            for split in [set[.train], set[.val]] { #expect(split.map { Int($0.name.dropLast(4))! }.isSorted) }
            return set[.val].map(\.name)
        }
        #expect(try names(nil).count == 3)
        #expect(try names(7).count == 7)
        #expect(try names(7) == names(7))
        #expect(try names(7) != names(7, seed: 2))
        // More of them include fewer.
        #expect(try Set(names(7)).isSubset(of: names(8)))
        #expect(try names(29).count == 29)
        #expect(try QuestionDataSet(folder: folder.url, heldBack: 0)[.val].isEmpty)
        for count in [-1, 30, .max, .min] {
            #expect(throws: DataSetError.heldBack(count, images: 30, folder: folder.url.path)) {
                try QuestionDataSet(folder: folder.url, heldBack: count)
            }
        }
    }

    @Test func holdsNothingBackOfASingleImage() throws {
        let folder = try TemporaryFolder(["train.tsv": "image\tquestion\tanswer\na.jpg\tq\ta\n", "images/a.jpg": ""])
        #expect(try QuestionDataSet(folder: folder.url).availableSplits == [.train])
    }

    // MARK: easy-VQA

    @Test func readsEasyVQA() throws {
        let folder = try TemporaryFolder([
            "answers.txt": "yes\nno\nblue\n", "train/images/0.png": "", "train/images/7.png": "", "test/images/0.png": "",
            "train/questions.json": #"[["is it blue?", "yes", 7], ["is it red?", "no", 0], ["what colour?", "blue", 7]]"#,
            "test/questions.json": #"[["is it red?", "yes", 0]]"#,
        ])
        let set = try QuestionDataSet(folder: folder.url, heldBack: 0)
        #expect(set.name == "easy-VQA")
        #expect(set.availableSplits == [.train, .test])
        #expect(set[.train].map(\.name) == ["train/7.png", "train/0.png"])
        #expect(set[.train][0].file == folder.url.appendingPathComponent("train/images/7.png"))
        #expect(set[.train][0].questions.map(\.answer) == ["yes", "blue"])
        #expect(set.questions(.train).map(\.id) == [1, 3, 2])
        #expect(set[.test][0].name == "test/0.png")
        #expect(set[.test][0].file == folder.url.appendingPathComponent("test/images/0.png"))
        #expect(set.questions(.test).map(\.id) == [4])
        // A tenth of two images, rounded up, is one.
        #expect(try QuestionDataSet(folder: folder.url).availableSplits == [.train, .val, .test])
    }

    @Test func readsOneListOfEasyVQA() throws {
        let json = #"[["is it blue?", "yes", 3]]"#
        let folder = try TemporaryFolder(["questions.json": json, "images/3.png": ""])
        #expect(try QuestionDataSet(folder: folder.url)[.train].map(\.name) == ["3.png"])
        let apart = try TemporaryFolder(["train/questions.json": json, "pictures/3.png": ""])
        let pictures = apart.url.appendingPathComponent("pictures")
        #expect(
            try QuestionDataSet(folder: apart.url, images: pictures)[.train][0].file == pictures.appendingPathComponent("3.png"))
        // Two splits' pictures have the same numbers and so cannot lie in one folder.
        try FileManager.default.createDirectory(
            at: apart.url.appendingPathComponent("test"), withIntermediateDirectories: true)
        try Data(json.utf8).write(to: apart.url.appendingPathComponent("test/questions.json"))
        #expect(throws: DataSetError.missingImages(first: "train/3.png", count: 1, folder: pictures.path)) {
            try QuestionDataSet(folder: apart.url, images: pictures)
        }
    }

    @Test(arguments: [
        ("", "/questions.json: is not what was expected: "),
        ("{}", "/questions.json: is not what was expected: "),
        ("[]", "/questions.json: holds no questions."),
        (#"[["q", "a", 0], ["q", "a", "1"]]"#, "/questions.json: is not what was expected: Index 1"),
        (#"[["q", "a"]]"#, "/questions.json: is not what was expected: Index 0"),
        (#"[["q", "a", 0, 1]]"#, "Index 0: expected [question, answer, image number], none of them empty."),
        (#"[["q", "", 0]]"#, "Index 0: expected [question, answer, image number], none of them empty."),
        (#"[["q", "a", 1.5]]"#, "/questions.json: is not what was expected: Index 0"),
        (#"[["q", "a", -1], ["q", "a", 4]]"#, ": 2 images are missing, the first is '-1.png'."),
    ])
    func explainsWhatIsWrongWithEasyVQA(json: String, sentence: String) throws {
        let folder = try TemporaryFolder(["questions.json": json, "images/0.png": ""])
        let error = #expect(throws: DataSetError.self) { try QuestionDataSet(folder: folder.url) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    // MARK: VQA

    /// Questions as (id, image), about images that have the given answers.
    private static func questions(_ list: [(id: Int, image: Int)], choices: String = "") -> String {
        let items = list.map {
            #"{"question_id": \#($0.id), "image_id": \#($0.image), "question": "What is \#($0.id)?"\#(choices)}"#
        }
        return #"{"info": {}, "task_type": "Open-Ended", "questions": [\#(items.joined(separator: ","))]}"#
    }
    private static func annotations(_ list: [(id: Int, image: Int)], answers: [String], most: String? = nil) -> String {
        let people = answers.enumerated().map {
            #"{"answer": "\#($0.element)", "answer_confidence": "yes", "answer_id": \#($0.offset + 1)}"#
        }.joined(separator: ",")
        let choice = most.map { #""multiple_choice_answer": "\#($0)","# } ?? ""
        let items = list.map {
            #"{"question_id": \#($0.id), "image_id": \#($0.image), "question_type": "what is", "answer_type": "other", "#
                + #"\#(choice)"answers": [\#(people)]}"#
        }
        return #"{"annotations": [\#(items.joined(separator: ","))]}"#
    }
    private static let people = ["a", "b", "b", "c", "d", "d", "e", "f", "g", "h"]

    @Test func readsVQA() throws {
        let train = [(id: 92, image: 9), (id: 10, image: 1), (id: 90, image: 9)], val = [(id: 427_420, image: 42742)]
        let folder = try TemporaryFolder([
            "OpenEnded_mscoco_train2014_questions.json": Self.questions(train),
            "MultipleChoice_mscoco_train2014_questions.json": Self.questions(
                train, choices: #", "multiple_choices": ["d", "x"]"#),
            "mscoco_train2014_annotations.json": Self.annotations(train.reversed(), answers: Self.people, most: "d"),
            "OpenEnded_mscoco_val2014_questions.json": Self.questions(val),
            "mscoco_val2014_annotations.json": Self.annotations(val, answers: Self.people),
            // Nobody has the answers to these.
            "OpenEnded_mscoco_test2015_questions.json": Self.questions([(id: 1, image: 1)]),
            "train2014/COCO_train2014_000000000001.jpg": "", "train2014/COCO_train2014_000000000009.jpg": "",
            "val2014/COCO_val2014_000000042742.jpg": "",
        ])
        let set = try QuestionDataSet(folder: folder.url)
        #expect(set.name == "VQA v1")
        #expect(set.availableSplits == [.train, .val])
        #expect(
            set[.train].map(\.name) == ["train2014/COCO_train2014_000000000009.jpg", "train2014/COCO_train2014_000000000001.jpg"])
        #expect(set.questions(.train).map(\.id) == [92, 90, 10])
        let question = set.questions(.train)[0]
        #expect(question.text == "What is 92?")
        #expect(question.answer == "d" && question.answers == Self.people)
        #expect(question.questionType == "what is" && question.answerType == "other" && question.choices == ["d", "x"])
        // Without the data set's own choice the most frequent answer, of two the one that was given first.
        #expect(set.questions(.val).map(\.answer) == ["b"])
        #expect(set.questions(.val)[0].choices.isEmpty)
        #expect(FileManager.default.fileExists(atPath: set[.val][0].file.path))
    }

    @Test(arguments: [
        "train2014/", "images/train2014/", "Images/mscoco/train2014/", "mscoco/train2014/", "images/", "",
    ])
    func findsVQAsFiles(images: String) throws {
        let list = [(id: 9000, image: 9), (id: 1000, image: 123_456_789_012)]
        let folder = try TemporaryFolder([
            "Questions/v2_OpenEnded_mscoco_train2014_questions.json": Self.questions(list),
            "Annotations/v2_mscoco_train2014_annotations.json": Self.annotations(list, answers: ["a"], most: "a"),
            "\(images)COCO_train2014_000000000009.jpg": "", "\(images)COCO_train2014_123456789012.jpg": "",
        ])
        let set = try QuestionDataSet(folder: folder.url)
        #expect(set.name == "VQA v2")
        #expect(set[.train].count == 1 && set[.val].count == 1)
        for image in set[.train] + set[.val] { #expect(FileManager.default.fileExists(atPath: image.file.path)) }
    }

    @Test func readsAbstractScenes() throws {
        let list = [(id: 9, image: 9)]
        let folder = try TemporaryFolder([
            "MultipleChoice_abstract_v002_val2015_questions.json": Self.questions(list),
            "abstract_v002_val2015_annotations.json": Self.annotations(list, answers: ["a"]),
            "abstract_v002/val2015/abstract_v002_val2015_000000000009.png": "",
        ])
        let set = try QuestionDataSet(folder: folder.url)
        #expect(set.name == "VQA v1 abstract scenes")
        #expect(set[.val].map(\.name) == ["val2015/abstract_v002_val2015_000000000009.png"])
    }

    @Test(
        arguments: [
            (
                [questions([(1, 1)]), nil],
                ": has no 'mscoco_train2014_annotations.json', which this data set needs."
            ),
            ([questions([]), annotations([], answers: [])], "/OpenEnded_mscoco_train2014_questions.json: holds no questions."),
            (
                [questions([(1, 1), (1, 1)]), annotations([(1, 1)], answers: ["a"])],
                "/OpenEnded_mscoco_train2014_questions.json: has the question 1 twice."
            ),
            (
                [questions([(1, 1)]), annotations([(1, 1), (1, 1)], answers: ["a"])],
                "/mscoco_train2014_annotations.json: has the question 1 twice."
            ),
            (
                [questions([(2, 1)]), annotations([(1, 1)], answers: ["a"])],
                "/mscoco_train2014_annotations.json: has no answers to the question 2."
            ),
            (
                [questions([(1, 1)]), annotations([(1, 1)], answers: [])],
                "/mscoco_train2014_annotations.json: has no answers to the question 1."
            ),
            (
                [questions([(1, 1)]), annotations([(1, 2)], answers: ["a"])],
                "annotations.json: the answers to the question 1 are for the image 2, but the question is about another."
            ),
            (
                [questions([(1, 1), (2, 2), (3, 3)]), annotations([(1, 1), (2, 2), (3, 3)], answers: ["a"])],
                ": 2 images are missing, the first is 'train2014/COCO_train2014_000000000002.jpg'."
            ),
            (
                [questions([(1, -1)]), annotations([(1, -1)], answers: ["a"])],
                "the image 'train2014/COCO_train2014_0000000000-1.jpg' is missing."
            ),
            (
                [#"{"questions": [{"question_id": 1}]}"#, annotations([], answers: [])],
                "'image_id' is missing in 'questions.Index 0'."
            ),
            (
                [questions([(1, 1)]), #"{"annotations": 3}"#],
                "/mscoco_train2014_annotations.json: is not what was expected: annotations: "
            ),
            ([questions([(1, 1)]), "["], "/mscoco_train2014_annotations.json: is not what was expected: "),
        ] as [([String?], String)])
    func explainsWhatIsWrongWithVQA(files: [String?], sentence: String) throws {
        var content = ["train2014/COCO_train2014_000000000001.jpg": ""]
        content["OpenEnded_mscoco_train2014_questions.json"] = files[0]
        content["mscoco_train2014_annotations.json"] = files[1]
        let folder = try TemporaryFolder(content)
        let error = #expect(throws: DataSetError.self) { try QuestionDataSet(folder: folder.url) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test func tellsReleasesApart() throws {
        let list = [(id: 1, image: 1)], answers = Self.annotations(list, answers: ["a"])
        let folder = try TemporaryFolder([
            "OpenEnded_mscoco_train2014_questions.json": Self.questions(list), "mscoco_train2014_annotations.json": answers,
            "v2_OpenEnded_mscoco_val2014_questions.json": Self.questions(list), "v2_mscoco_val2014_annotations.json": answers,
        ])
        let error = #expect(throws: DataSetError.self) { try QuestionDataSet(folder: folder.url) }
        #expect(error?.description == "\(folder.url.path): holds VQA v1 and VQA v2; put each into a folder of its own.")
        for name in ["OpenEnded_questions.json", "OpenEnded_mscoco_questions.json", "OpenEnded_mscoco_all2014_questions.json"] {
            let unknown = try TemporaryFolder([name: Self.questions(list)])
            let file = unknown.url.appendingPathComponent(name).path
            #expect(throws: DataSetError.unknownSubset(file: file)) {
                try QuestionDataSet(folder: unknown.url)
            }
        }
    }

    @Test func listsWhatAFolderMayHold() throws {
        let folder = try TemporaryFolder(["readme.txt": "", "notes_questions.json": "[]"])
        let error = #expect(throws: DataSetError.self) { try QuestionDataSet(folder: folder.url) }
        #expect(
            error?.description == """
                \(folder.url.path): holds no questions that are known; expected one of: DAQUAR (images/, train.tsv), \
                easy-VQA (train/questions.json and train/images/, or questions.json and images/), \
                VQA (…OpenEnded_mscoco_train2014_questions.json, …mscoco_train2014_annotations.json and the images).
                """)
        #expect(throws: DataSetError.noFolder("/nowhere/at/all")) {
            try QuestionDataSet(folder: URL(fileURLWithPath: "/nowhere/at/all"))
        }
    }

    // MARK: Real data; the numbers of what is held back by Reference/held_back.py

    @Test(.enabled(if: SharedData.daquar != nil, "shared/data/daquar is missing"))
    func readsTheWholeOfDAQUAR() throws {
        let folder = try #require(SharedData.daquar)
        let whole = try QuestionDataSet(folder: folder, heldBack: 0)
        // There are 795 photos, but nobody asks about image366.jpg.
        #expect(whole[.train].count == 794)
        #expect(whole.questions(.train).count == 6795)
        #expect(whole.questions(.train).count { $0.parts.count > 1 } == 646)
        #expect(Set(whole.questions(.train).map(\.id)) == Set(1...6795))
        let set = try QuestionDataSet(folder: folder)
        #expect(set[.train].count == 714 && set[.val].count == 80)
        #expect(set.questions(.val).count == 686)
        #expect(set[.val].prefix(4).map(\.name) == ["image23.jpg", "image44.jpg", "image65.jpg", "image164.jpg"])
        let other = try QuestionDataSet(folder: folder, seed: 2)
        #expect(other.questions(.val).count == 663)
        #expect(other[.val].prefix(4).map(\.name) == ["image5.jpg", "image10.jpg", "image13.jpg", "image19.jpg"])
    }

    @Test(.enabled(if: SharedData.easyVQA != nil, "shared/data/easy-vqa is missing"))
    func readsTheWholeOfEasyVQA() throws {
        let set = try QuestionDataSet(folder: #require(SharedData.easyVQA))
        #expect(set[.train].count == 3600 && set[.val].count == 400)
        #expect(set.questions(.train).count + set.questions(.val).count == 38575)
        #expect(set.questions(.val).count == 3811)
        #expect(set[.val].prefix(4).map(\.name) == ["train/8.png", "train/9.png", "train/21.png", "train/35.png"])
        #expect(Set(set.questions(.train).map(\.answer)).count == 13)
    }
}

extension [Int] {
    fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}
