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

    /// `max(low, min(high, x))`. A NaN stays one.
    @inline(__always) func clamped(_ low: Float, _ high: Float) -> Self {
        raised(to: Self(repeating: low)).lowered(to: Self(repeating: high))
    }

    /// The larger of each pair.
    @inline(__always) func raised(to low: Self) -> Self {
        #if ZOO_AVX512
            // The compiler takes comparisons of sixteen scalars apart, those of eight not.
            return Self(
                lowHalf: lowHalf.replacing(with: low.lowHalf, where: lowHalf .< low.lowHalf),
                highHalf: highHalf.replacing(with: low.highHalf, where: highHalf .< low.highHalf))
        #else
            return replacing(with: low, where: self .< low)
        #endif
    }

    /// The smaller of each pair.
    @inline(__always) func lowered(to high: Self) -> Self {
        #if ZOO_AVX512
            return Self(
                lowHalf: lowHalf.replacing(with: high.lowHalf, where: lowHalf .> high.lowHalf),
                highHalf: highHalf.replacing(with: high.highHalf, where: highHalf .> high.highHalf))
        #else
            return replacing(with: high, where: self .> high)
        #endif
    }

    /// The scalars whose pair of `a` and `b` are equal, and zeros.
    @inline(__always) func kept(where a: Self, equals b: Self) -> Self {
        #if ZOO_AVX512
            let zero = SIMD8<Float>(repeating: 0)
            return Self(
                lowHalf: zero.replacing(with: lowHalf, where: a.lowHalf .== b.lowHalf),
                highHalf: zero.replacing(with: highHalf, where: a.highHalf .== b.highHalf))
        #else
            return Self(repeating: 0).replacing(with: self, where: a .== b)
        #endif
    }
}
