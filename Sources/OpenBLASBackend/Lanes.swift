/// As many scalars as one register of the instruction set holds that this module is compiled for.
#if ZOO_AVX512
typealias Lanes = SIMD16<Float>
#elseif ZOO_AVX2
typealias Lanes = SIMD8<Float>
#else
typealias Lanes = SIMD4<Float>
#endif

extension Lanes {
    @inline(__always) static var width: Int { scalarCount }

    @inline(__always) init(_ memory: UnsafePointer<Float>) { self = UnsafeRawPointer(memory).loadUnaligned(as: Self.self) }

    /// The first `count` scalars of `memory`, and zeros.
    @inline(__always) init(_ memory: UnsafePointer<Float>, count: Int) {
        self.init(repeating: 0)
        for i in 0..<count { self[i] = memory[i] }
    }

    @inline(__always) func store(to memory: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(memory).storeBytes(of: self, as: Self.self)
    }

    @inline(__always) func store(to memory: UnsafeMutablePointer<Float>, count: Int) {
        for i in 0..<count { memory[i] = self[i] }
    }

    /// `max(low, min(high, x))`, one instruction each. A NaN stays one.
    @inline(__always) func clamped(_ low: Float, _ high: Float) -> Self {
        let low = Self(repeating: low), high = Self(repeating: high)
        let raised = replacing(with: low, where: self .< low)
        return raised.replacing(with: high, where: raised .> high)
    }
}
