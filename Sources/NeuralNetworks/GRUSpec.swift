public import Tensors

/// The convention of a GRU as a card states it.
public struct GRUSpec: Decodable, Sendable, Hashable {
    public var order: GRUConvention.Order
    public var resetsAfterProduct: Bool
    public var recurrentBias: Bool

    private enum CodingKeys: String, CodingKey {
        case order
        case resetsAfterProduct = "resets_after_product"
        case recurrentBias = "recurrent_bias"
    }

    public init(from decoder: any Decoder) throws {
        let json = try decoder.container(keyedBy: CodingKeys.self)
        order = try json.decode(GRUConvention.Order.self, forKey: .order)
        resetsAfterProduct = try json.decode(Bool.self, forKey: .resetsAfterProduct)
        recurrentBias = try json.decodeIfPresent(Bool.self, forKey: .recurrentBias) ?? false
    }

    public var convention: GRUConvention {
        GRUConvention(order: order, resetsAfterProduct: resetsAfterProduct, recurrentBias: recurrentBias)
    }
}
