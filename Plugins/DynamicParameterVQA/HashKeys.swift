/// What hashes are computed of besides the place; by default what the released code has.
package struct HashKeys: Decodable, Sendable, Hashable {
    package var seed: UInt32
    /// How the keys of ψ and of ξ end.
    package var indexTag: String, signTag: String

    package init(seed: UInt32 = 1691, indexTag: String = "idxW", signTag: String = "xi_W") {
        (self.seed, self.indexTag, self.signTag) = (seed, indexTag, signTag)
    }

    private enum CodingKeys: String, CodingKey {
        case seed
        case indexTag = "index_tag"
        case signTag = "sign_tag"
    }

    package init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        seed = try json.decodeIfPresent(UInt32.self, forKey: .seed) ?? seed
        indexTag = try json.decodeIfPresent(String.self, forKey: .indexTag) ?? indexTag
        signTag = try json.decodeIfPresent(String.self, forKey: .signTag) ?? signTag
    }
}
