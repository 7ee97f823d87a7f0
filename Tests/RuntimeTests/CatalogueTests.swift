import Checkpoints
import Foundation
import ModelKit
import Runtime
import Testing

@Suite struct Catalogues {
    private let folder: TemporaryFolder
    private let catalogue: Catalogue
    private var project: String { folder.path + "/project" }
    private var user: String { folder.path + "/home/zoo" }

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("project/Package.swift", "")
        try folder.write("project/ModelCards/tiny.json", CardText().text)
        try folder.write("project/Weights/tiny.h5", "weights")
        catalogue = Catalogue(
            environment: ["XDG_DATA_HOME": folder.path + "/home", "HOME": "/nobody"],
            executable: folder.path + "/project/.build/x/release/zoo", currentDirectory: "/", folders: [folder.path + "/extra"])
    }

    private func named(_ name: String, _ title: String = "Tiny") -> CardText {
        CardText().with("name", "\"\(name)\"").with("title", "\"\(title)\"")
            .with("weights", #"[{"path": "\#(name).h5", "how_to_get": "Train it."}]"#)
    }

    private func message<T>(_ body: () throws(CardError) -> T) -> String? {
        do throws(CardError) {
            _ = try body()
            return nil
        } catch {
            return error.description.replacing(folder.path, with: "TMP")
        }
    }

    // MARK: Search

    @Test func sources() throws {
        #expect(
            catalogue.sources == [
                .init(.project, root: project), .init(.user, root: user), .init(.folder, root: folder.path + "/extra"),
            ])
        try folder.write("prefix/share/zoo/ModelCards/tiny.json", CardText().text)
        let installed = Catalogue(
            environment: ["HOME": "/home/me"], executable: folder.path + "/prefix/bin/zoo", currentDirectory: project)
        #expect(
            installed.sources == [
                .init(.installation, root: folder.path + "/prefix/share/zoo"), .init(.user, root: "/home/me/.local/share/zoo"),
            ])
        let elsewhere = Catalogue(
            environment: ["XDG_DATA_HOME": "relative"], executable: "/usr/games/zoo", currentDirectory: project,
            folders: ["../extra"])
        #expect(elsewhere.sources == [.init(.project, root: project), .init(.folder, root: folder.path + "/extra")])
        #expect(Catalogue(environment: [:], executable: "/usr/games/zoo", currentDirectory: "/").sources == [])
    }

    @Test func laterSourcesHideEarlierOnes() throws {
        #expect(catalogue.path(of: "tiny") == project + "/ModelCards/tiny.json")
        try folder.write("home/zoo/tiny/ModelCards/tiny.json", named("tiny", "Mine").text)
        #expect(try catalogue.card("tiny").title == "Mine")
        try folder.write("extra/tiny.json", named("tiny", "Extra").text)
        #expect(try catalogue.card("tiny").title == "Extra")
        let summary = try #require(catalogue.summaries().cards.first)
        #expect(summary.title == "Extra")
        #expect(summary.source == .folder)
        #expect(summary.shadows == [project + "/ModelCards/tiny.json", user + "/tiny/ModelCards/tiny.json"])
        try folder.write("extra/ModelCards/tiny.json", named("tiny", "Inside").text)
        #expect(try catalogue.card("tiny").title == "Inside")
    }

    @Test func names() throws {
        try folder.write("extra/other.json", named("other").with("aliases", #"["o2"]"#).text)
        #expect(try catalogue.card("o2").name == "other")
        #expect(try catalogue.card(project + "/ModelCards/tiny.json").name == "tiny")
        #expect(
            message { () throws(CardError) in try catalogue.card("tinny") } == "there is no model 'tinny'; did you mean 'tiny'?")
        #expect(
            message { () throws(CardError) in try catalogue.card("zebra") }
                == "there is no model 'zebra'; looked in TMP/project/ModelCards, TMP/home/zoo/ModelCards, TMP/extra.")
        #expect(
            message { () throws(CardError) in try catalogue.card("./no.json") }
                == "./no.json: cannot be read: No such file or directory.")
        #expect(
            message { () throws(CardError) in try catalogue.card(project + "/") }
                == "TMP/project/: cannot be read: it is a folder.")
        #expect(catalogue.path(of: "../tiny") == nil)
    }

    @Test func summaries() throws {
        try folder.write("extra/broken.json", "{\n  \"name\": ")
        try folder.write("extra/misnamed.json", named("other").text)
        try folder.write("extra/.hidden.json", "")
        try folder.write("extra/notes.txt", "")
        let sized = #"[{"path": "tiny.h5", "sha256": "\#(String(repeating: "0", count: 64))", "bytes": 1000}]"#
        try folder.write("extra/absent.json", named("absent").with("weights", sized).with("parameters_count", "5").text)
        let (cards, broken) = catalogue.summaries()
        #expect(cards.map(\.name) == ["absent", "tiny"])
        #expect(cards.map(\.weightsPresent) == [false, true])
        #expect(cards.map(\.weightsBytes) == [1000, 7])
        #expect(cards.map(\.parameters) == [5, nil])
        #expect(cards[0].inputs == [.image])
        #expect(
            broken.map { $0.description.replacing(folder.path, with: "TMP") } == [
                "TMP/extra/broken.json:2:11: name: the text ends where a value was expected.",
                "TMP/extra/misnamed.json:3:9: name: the card is called 'other' but its file 'misnamed.json'; "
                    + "rename one of them, for models are found by their file.",
            ])
        #expect(catalogue.summaries(task: .imageCaptioning).cards == [])
        // The user puts converted weights of a card that others installed into his own catalogue.
        try FileManager.default.removeItem(atPath: project + "/Weights/tiny.h5")
        #expect(catalogue.summaries().cards.last?.weightsPresent == false)
        try folder.write("home/zoo/Weights/tiny.h5", "weights")
        #expect(catalogue.summaries().cards.last?.weightsPresent == true)
        let card = try catalogue.card("tiny")
        #expect(try catalogue.locate(card.weights[0], role: "weights", of: card) == user + "/Weights/tiny.h5")
    }

    @Test func missingWeights() throws {
        try FileManager.default.removeItem(atPath: project + "/Weights/tiny.h5")
        let card = try catalogue.card("tiny")
        #expect(
            message { () throws(CardError) in try catalogue.locate(card.weights[0], role: "weights", of: card) }
                == "tiny: the file of weights 'TMP/project/Weights/tiny.h5' or 'TMP/home/zoo/Weights/tiny.h5' is missing. "
                + "How to get it: Train it.")
    }

    // MARK: Backbones

    @Test func backbones() throws {
        func write(_ name: String, _ backbone: String) throws {
            try folder.write("extra/\(name).json", named(name).with("backbone", backbone).text)
        }
        try write("a", #"{"model": "b", "tap": "x"}"#)
        try write("b", #"{"model": "c", "tap": "y"}"#)
        try write("c", #"{"input": [8, 8, 3], "layers": [{"op": "relu", "name": "x"}, {"op": "relu", "name": "y"}]}"#)
        let a = try catalogue.backbone(of: catalogue.card("a"))
        #expect(a.layers.tap == "x")
        #expect(a.card.name == "c")
        #expect(try catalogue.backbone(of: catalogue.card("b")).layers.tap == "y")

        try write("c", #"{"model": "a"}"#)
        #expect(
            message { () throws(CardError) in try catalogue.backbone(of: catalogue.card("a")) }
                == "TMP/extra/c.json:10:23: backbone.model: the backbones go round in a circle: a → b → c → a; "
                + "one of them must list its layers.")
        try write("c", #"{"model": "tinny"}"#)
        #expect(
            message { () throws(CardError) in try catalogue.backbone(of: catalogue.card("c")) }
                == "TMP/extra/c.json:10:23: backbone.model: there is no model 'tinny' to take the backbone from; "
                + "did you mean 'tiny'?")
    }

    // MARK: Registration

    /// A stranger's card with weights in a folder of its own.
    private func stranger(_ content: String = "weights", sha256: String? = nil, bytes: Int? = nil) throws -> String {
        let digest = SHA256Digest(of: Array(content.utf8)).description
        try folder.write("stranger/Weights/new.h5", content)
        let weights =
            #"[{"path": "../Weights/new.h5", "sha256": "\#(sha256 ?? digest)", "bytes": \#(bytes ?? content.utf8.count)}]"#
        return try folder.write("stranger/ModelCards/new.json", named("new").with("weights", weights).text)
    }

    @Test func register() throws {
        let card = try stranger()
        let registration = try catalogue.register(card)
        #expect(registration.path == user + "/new/ModelCards/new.json")
        #expect(registration.files == [user + "/new/Weights/new.h5"])
        #expect(!registration.replaced && registration.shadows == [] && registration.missing == [])
        #expect(catalogue.path(of: "new") == registration.path)
        #expect(try String(contentsOfFile: user + "/new/Weights/new.h5", encoding: .utf8) == "weights")
        #expect(catalogue.summaries().cards.map(\.name) == ["new", "tiny"])
        #expect(catalogue.summaries().cards[0].weightsPresent)

        #expect(
            message { () throws(CardError) in try catalogue.register(card) }
                == "'new' is registered already (TMP/home/zoo/new); use --replace to put the new one in its place.")
        let again = try catalogue.register(stranger("other weights"), replace: true)
        #expect(again.replaced)
        #expect(try String(contentsOfFile: user + "/new/Weights/new.h5", encoding: .utf8) == "other weights")
        #expect(try FileManager.default.contentsOfDirectory(atPath: user) == ["new"])

        #expect(try catalogue.unregister("new") == user + "/new")
        #expect(catalogue.path(of: "new") == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: user) == [])
    }

    @Test func unregisterOnlyTheUsers() throws {
        #expect(
            message { () throws(CardError) in try catalogue.unregister("tiny") }
                == "'tiny' is not in the user's catalogue: it belongs to TMP/project/ModelCards/tiny.json and stays there.")
        #expect(
            message { () throws(CardError) in try catalogue.unregister("zebra") }
                == "'zebra' is not in the user's catalogue, and nowhere else.")
        #expect(
            message { () throws(CardError) in try catalogue.unregister("../project") }
                == "'../project' is not in the user's catalogue, and nowhere else.")
        #expect(Project.exists(project + "/ModelCards/tiny.json"))
        let nobody = Catalogue(environment: [:], executable: "/usr/games/zoo", currentDirectory: "/")
        #expect(
            message { () throws(CardError) in try nobody.unregister("tiny") }
                == "there is no user's catalogue: neither XDG_DATA_HOME nor HOME is set.")
    }

    /// What is refused leaves nothing behind, and what was registered before stays.
    @Test func refusals() throws {
        try catalogue.register(stranger())
        let before = folder.contents.filter { $0.hasPrefix("home") }
        func refusal(_ card: String) -> String? {
            let message = message { () throws(CardError) in try catalogue.register(card, replace: true) }
            #expect(folder.contents.filter { $0.hasPrefix("home") } == before)
            return message
        }
        let good = SHA256Digest(of: Array("weights".utf8)).description
        let zeros = String(repeating: "0", count: 64)
        #expect(
            refusal(try stranger(sha256: zeros))
                == "TMP/stranger/Weights/new.h5: has the SHA-256 \(good), but its card says \(zeros); "
                + "get the file again, or correct the card.")
        #expect(
            refusal(try stranger(bytes: 8))
                == "TMP/stranger/Weights/new.h5: has 7 bytes, but its card says 8; get the file again, or correct the card.")
        let card = try stranger()
        try FileManager.default.removeItem(atPath: folder.path + "/stranger/Weights/new.h5")
        #expect(
            refusal(card)
                == "new: the file of weights 'TMP/stranger/Weights/new.h5' is missing; put it there, or register the model again."
        )
        try FileManager.default.createDirectory(
            atPath: folder.path + "/stranger/Weights/new.h5", withIntermediateDirectories: true)
        #expect(refusal(card)?.contains("is missing") == true)
        #expect(refusal(try folder.write("stranger/ModelCards/new.json", "{"))?.contains(":1:2:") == true)
        let escaping = named("new").with("weights", #"[{"path": "../../secret", "how_to_get": "x"}]"#).text
        #expect(
            refusal(try folder.write("stranger/ModelCards/new.json", escaping))
                == "TMP/stranger/ModelCards/new.json:11:22: weights[0].path: '../../secret' leaves the catalogue 'TMP/stranger'; "
                + "put the file into its folder Weights.")
    }

    @Test func withoutDigest() throws {
        let digest = SHA256Digest(of: Array("weights".utf8)).description
        #expect(
            message { () throws(CardError) in try catalogue.register(project + "/ModelCards/tiny.json") }
                == "TMP/project/ModelCards/tiny.json:11:22: weights[0].path: "
                + "'../Weights/tiny.h5' cannot be registered without its digest; add \"sha256\": \"\(digest)\", \"bytes\": 7.")
        try FileManager.default.removeItem(atPath: project + "/Weights/tiny.h5")
        let registration = try catalogue.register(project + "/ModelCards/tiny.json")
        #expect(registration.missing == [user + "/tiny/Weights/tiny.h5"])
        #expect(registration.shadows == [project + "/ModelCards/tiny.json"])
    }

    /// A card in a folder of its own, not in one called ModelCards.
    @Test func looseCard() throws {
        try folder.write("loose/w/new.h5", "weights")
        try folder.write("loose/a.jpg", "picture")
        let digest = SHA256Digest(of: Array("weights".utf8)).description
        let text = named("new").with("weights", #"[{"path": "w/new.h5", "sha256": "\#(digest)", "bytes": 7}]"#)
            .with("examples", #"[{"input": {"image": "a.jpg"}, "expected": {}}]"#).text
        let registration = try catalogue.register(folder.write("loose/new.json", text))
        #expect(registration.files.map { $0.replacing(user, with: "") } == ["/new/ModelCards/w/new.h5", "/new/ModelCards/a.jpg"])
        #expect(catalogue.summaries().cards[0].weightsPresent)
        #expect(CardCheck(catalogue).report(on: registration.path).isSound)
    }

    @Test func concurrentRegistrations() async throws {
        let card = try stranger(String(repeating: "w", count: 1 << 20))
        let winners = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 { group.addTask { [catalogue] in (try? catalogue.register(card)) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: user) == ["new"])
    }

    /// `zoo list` has 50 ms for everything. (The bound here is generous, for a machine that does other things as well.)
    @Test func listingIsQuick() throws {
        let project = Catalogue([.init(.project, root: Project.root)])
        var count = 0
        let times = (0..<5).map { _ in ContinuousClock().measure { count = project.summaries().cards.count } }
        print("listing \(count) cards took \(times.min()!)")
        #expect(count >= 15 && times.min()! < .milliseconds(200))
    }

    @Test func schema() throws {
        let project = Catalogue([.init(.project, root: Project.root)])
        #expect(try String(decoding: project.schema(), as: UTF8.self).contains("json-schema.org/draft/2020-12/schema"))
        #expect(
            message { () throws(CardError) in try catalogue.schema() }
                == "the schema 'ModelCards/schema/model-card-1.json' is neither in the project nor in the installation; "
                + "install zoo again.")
    }
}
