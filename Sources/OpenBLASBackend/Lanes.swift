import COpenBLAS

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
        if count == Self.width {
            self.init(memory)
            return
        }
        self.init(repeating: 0)
        for i in 0..<count { self[i] = memory[i] }
    }

    @inline(__always) func store(to memory: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(memory).storeBytes(of: self, as: Self.self)
    }

    @inline(__always) func store(to memory: UnsafeMutablePointer<Float>, count: Int) {
        if count == Self.width { return store(to: memory) }
        for i in 0..<count { memory[i] = self[i] }
    }

    /// `max(low, min(high, x))`. A NaN stays one.
    @inline(__always) func clamped(_ low: Float, _ high: Float) -> Self {
        raised(to: Self(repeating: low)).lowered(to: Self(repeating: high))
    }

    /// The larger of each pair.
    @inline(__always) func raised(to low: Self) -> Self {
        #if ZOO_AVX512
            return zoo_raise16(self, low)
        #else
            return replacing(with: low, where: self .< low)
        #endif
    }

    /// The smaller of each pair.
    @inline(__always) func lowered(to high: Self) -> Self {
        #if ZOO_AVX512
            return zoo_lower16(self, high)
        #else
            return replacing(with: high, where: self .> high)
        #endif
    }

    /// The scalars whose pair of `a` and `b` are equal, and zeros.
    @inline(__always) func kept(where a: Self, equals b: Self) -> Self {
        #if ZOO_AVX512
            return zoo_keep16(self, a, b)
        #else
            return Self(repeating: 0).replacing(with: self, where: a .== b)
        #endif
    }
}
