import Checkpoints
import Foundation
import Media
import Testing

@Suite struct Weights {
    private func workplace() throws -> Workplace {
        let place = try Workplace()
        try TinyCaptioner().write(to: place)
        return place
    }

    @Test func thereAndBack() throws {
        let place = try workplace()
        for format in ["safetensors", "npz", "h5"] {
            let there = try place.zoo("convert", "Weights/tiny.h5", "there.\(format)", "--verify")
            #expect(there.status == 0 && there.errors.isEmpty)
            #expect(there.lines.contains { $0.hasPrefix("there.\(format): 9 tensors, ") && $0.hasSuffix("largest difference 0") })
            #expect(try place.zoo("convert", "there.\(format)", "back.h5", "--compress").status == 0)
            let same = try place.zoo("tensors", "diff", "Weights/tiny.h5", "back.h5")
            #expect(same.status == 0 && same.output == "The 9 tensors are equal.\n")
        }
    }

    @Test func halves() throws {
        let place = try workplace()
        let report = try place.zoo("convert", "Weights/tiny.h5", "half.h5", "--dtype", "float16", "--json")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any])
        #expect(
            (json["rows"] as? [[String: Any]])?.allSatisfy {
                $0["type"] as? String == "float16" && $0["isFaithful"] as? Bool == true
            } ?? false)
        #expect(try place.zoo("tensors", "diff", "Weights/tiny.h5", "half.h5").status == 1)
        #expect(try place.zoo("tensors", "diff", "Weights/tiny.h5", "half.h5", "--tolerance", "0.001").status == 0)
        try place.write(
            "ModelCards/tiny.json",
            TinyCaptioner().with("weights", #"[{"path": "../half.h5", "how_to_get": "Convert it."}]"#).text)
        try place.write("a.png", TinyCaptioner.picture.pngData())
        #expect(try place.zoo("run", "ModelCards/tiny.json", "a.png").status == 0)
    }

    /// HDF5 is read without the library, which is opened only to write, and not linked: it would be loaded at every start.
    @Test func libraryForWriting() throws {
        let place = try workplace()
        let linked = try place.zoo(["--version"], environment: ["LD_TRACE_LOADED_OBJECTS": "1"])
        #expect(linked.output.contains("libc.so") && !linked.output.contains("libhdf5") && !linked.output.contains("libcurl"))
        for name in HDF5Library.names { try place.write("libraries/\(name)", "no library") }
        let missing = ["LD_LIBRARY_PATH": place.path + "/libraries"]
        let result = try place.zoo(["convert", "Weights/tiny.h5", "out.h5"], environment: missing)
        #expect(result.status == 69 && result.output.isEmpty)
        #expect(
            result.errors
                == "zoo: out.h5: writing it needs libhdf5_serial.so.103, which cannot be loaded; "
                + "install it with 'apt install libhdf5-103-1', or write .safetensors or .npz.\n")
        #expect(try !FileManager.default.contentsOfDirectory(atPath: place.path).contains { $0.hasPrefix("out.h5") })
        #expect(try place.zoo(["convert", "Weights/tiny.h5", "out.npz"], environment: missing).status == 0)
        let doctor = try place.zoo(["doctor"], environment: missing)
        #expect(doctor.status == 69)
        #expect(
            doctor.errors.contains(
                "zoo: HDF5 cannot be loaded, which writing weights needs; install with 'apt install libhdf5-103-1'.\n"))
    }

    @Test func renaming() throws {
        let place = try workplace()
        try place.write("rules.json", #"[{"from": "logits\\.(.*)", "to": "word.$1", "transpose": [1, 0]}]"#)
        let result = try place.zoo("convert", "Weights/tiny.h5", "out.h5", "--rename", "rules.json")
        #expect(result.status == 65 && result.errors.hasPrefix("zoo: rules.json: "))
        try place.write("rules.json", #"[{"from": "cnn\\.a\\.(.*)", "to": "first.$1"}, {"from": "lstm.*", "drop": true}]"#)
        let good = try place.zoo("convert", "Weights/tiny.h5", "out.h5", "--rename", "rules.json")
        #expect(good.status == 0 && good.output.contains("out.h5: 6 tensors") && good.output.contains(", 3 dropped"))
        let list = try place.zoo("tensors", "ls", "out.h5", "--json")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any])
        let names = (json["tensors"] as? [[String: Any]])?.compactMap { $0["name"] as? String }
        #expect(
            Set(names ?? []) == ["first.weight", "first.bias", "image.weight", "word.weight", "logits.weight", "logits.bias"])
        #expect((json["attributes"] as? [String: String])?["source_file"] == "tiny.h5")
    }

    /// Nothing is written where something is wrong, and what was there stays.
    @Test func refusals() throws {
        let place = try workplace()
        try place.write("empty.h5", [])
        try place.write("text.h5", "no weights\n")
        try place.write("cut.h5", Array(try place.bytes("Weights/tiny.h5").prefix(600)))
        try place.write("unused.json", #"[{"from": "nothing", "to": "x"}]"#)
        try place.write("typo.json", #"[{"form": "nothing"}]"#)
        try place.write("out.h5", "before")
        let size = try place.bytes("Weights/tiny.h5").count
        for (arguments, status, sentence) in [
            (["no.h5", "out.h5"], 66, "no.h5: cannot be read: No such file or directory."),
            (
                ["cut.h5", "out.h5"], 65,
                "cut.h5: the HDF5 file would end at byte \(size), but there are only 600; the file is cut off or damaged, "
                    + "copy it again."
            ),
            (["Weights/tiny.h5", "out.h5", "--rename", "no.json"], 66, "no.json: cannot be read: No such file or directory."),
            (
                ["Weights/tiny.h5", "out.h5", "--rename", "typo.json"], 65,
                "typo.json: rule 1: unknown key 'form'; "
                    + "a rule has from, to, transpose, reshape, reverse_channels, reshape_result, drop."
            ),
            (["Weights/tiny.h5", "nowhere/out.h5"], 73, "nowhere/out.h5: cannot be written: No such file or directory."),
            (
                ["Weights/tiny.h5", "out.xyz"], 64,
                "out.xyz: the extension tells no format that can be written; use one of .h5, .hdf5, .hdf, .npz, .npy, "
                    + ".safetensors. See 'zoo convert --help' for more information."
            ),
        ] as [([String], Int32, String)] {
            let result = try place.zoo(["convert"] + arguments)
            #expect(result.status == status && result.output.isEmpty)
            #expect(result.errors == "zoo: \(sentence)\n")
        }
        for arguments in [
            ["empty.h5", "out.h5"], ["text.h5", "out.h5"], ["Weights/tiny.h5", "out.h5", "--rename", "unused.json"],
        ] {
            let result = try place.zoo(["convert"] + arguments)
            #expect(result.status == 65 && result.errors.split(separator: "\n").count == 1)
            #expect(result.errors.hasPrefix("zoo: \(arguments.count > 2 ? arguments[3] : arguments[0])"))
        }
        #expect(try place.bytes("out.h5") == Array("before".utf8))
        let left = try FileManager.default.contentsOfDirectory(atPath: place.path)
        #expect(!left.contains { $0.hasSuffix(".part") })
    }

    @Test func statistics() throws {
        let place = try workplace()
        var model = TinyCaptioner()
        model.broken = "word.weight"
        try model.write(to: place)
        let table = try place.zoo("tensors", "stat", "Weights/tiny.h5")
        #expect(table.status == 0 && table.lines.count == 10)
        let rows =
            try JSONSerialization.jsonObject(with: Data(place.zoo("tensors", "stat", "Weights/tiny.h5", "--json").output.utf8))
            as? [[String: Any]]
        let row = try #require(rows?.first { $0["name"] as? String == "word.weight" })
        #expect(row["nanCount"] as? Int == 1 && row["shape"] as? [Int] == [7, 4])
    }
}
