package import Tensors

/// The features of boxes, brought to one size by bilinear sampling (§3.2.3; Jaderberg et al. 2015): unlike maximum pooling, it
/// has derivatives with respect to the boxes.
///
///     V_{i,j,c} = Σ_i' Σ_j' U_{i',j',c} k(i' - y_i) k(j' - x_j)        k(d) = max(0, 1 - |d|)
///
/// The grid's corners are the box's: `x_j = (g + 1)(W' - 1)/2` in a feature map `W'` wide, with
/// `g = (2 x_c - W - 1)/(W - 1) + w/W b_j` in a picture `W` wide and `b_j` evenly from -1 to 1. What leaves the map is 0.
package struct BilinearPooling: Sendable {
    package let rows: Int, columns: Int

    /// - Parameters: rows and columns of the grid, at least 2 each.
    package init(rows: Int, columns: Int) {
        precondition(rows > 1 && columns > 1, "a grid of \(rows)×\(columns) has no corners")
        (self.rows, self.columns) = (rows, columns)
    }

    /// The picture that the boxes lie in, in pixels.
    package struct Picture: Sendable, Hashable {
        package var height: Int, width: Int
        package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
    }

    /// - Parameters:
    ///   - features: of the whole picture, `[1, h, w, channels]`.
    ///   - boxes: in pixels of the picture, `[boxes, 4]`.
    /// - Returns: `[boxes, rows, columns, channels]`.
    package func callAsFunction(_ features: Tensor, _ boxes: Tensor, in picture: Picture) -> Tensor {
        require(
            features.shape.rank == 4 && features.shape[0] == 1 && boxes.shape.rank == 2 && boxes.shape[1] == 4
                && picture.height > 1 && picture.width > 1,
            "bilinear pooling of \(features.shape) in boxes \(boxes.shape) of a picture of \(picture.width)×\(picture.height)")
        let grid = Grid(self, Map(features.shape), picture), u = features.detached, b = boxes.detached
        return grid.sampled(u, b).recorded(
            (features, { dv in grid.featureGradient(dv, b, like: u.shape) }), (boxes, { dv in grid.boxGradient(dv, u, b) }))
    }

    /// The extents of a feature map.
    fileprivate struct Map {
        let height: Int, width: Int, channels: Int
        init(_ shape: Shape) { (height, width, channels) = (shape[1], shape[2], shape[3]) }
    }
}

/// Eight channels.
private typealias Lanes = SIMD8<Float>

/// A coordinate in the feature map: between which two pixels it lies, along one axis.
private struct Place {
    /// Of the pixels before and after, in pixels. A pixel that is not in the map has no weight, and the offset of one that is.
    var offset0 = 0, offset1 = 0
    var weight0: Float = 0, weight1: Float = 0
    /// How the weights change with the coordinate.
    var slope0: Float = 0, slope1: Float = 0

    /// - Parameters:
    ///   - x: counts from 0.
    ///   - step: from one pixel to the next.
    init(_ x: Float, extent: Int, step: Int) {
        // Beyond, nothing is seen. Neither is it where the box is not a number.
        guard x > -1, x < Float(extent) else { return }
        let before = x.rounded(.down), fraction = x - before, i = Int(before)
        if i >= 0 { (offset0, weight0, slope0) = (i * step, 1 - fraction, -1) }
        if i + 1 < extent { (offset1, weight1, slope1) = ((i + 1) * step, fraction, 1) }
    }
}

/// The numbers that one side of a grid depends on.
private struct Side {
    let points: Int
    /// In pixels of the picture and of the feature map.
    let extent: Int, mapExtent: Int
    /// From one pixel of the feature map to the next.
    let step: Int

    /// b, from -1 to 1.
    @inline(__always) func base(_ point: Int) -> Float { 2 * Float(point) / Float(points - 1) - 1 }

    @inline(__always) func place(_ point: Int, centre: Float, size: Float) -> Place {
        let L = Float(extent), g = (2 * centre - L - 1) / (L - 1) + size / L * base(point)
        return Place((g + 1) * Float(mapExtent - 1) / 2, extent: mapExtent, step: step)
    }

    /// How a coordinate changes with the box's centre, and with its size.
    @inline(__always) func slopes(_ point: Int) -> (centre: Float, size: Float) {
        (Float(mapExtent - 1) / Float(extent - 1), Float(mapExtent - 1) / 2 * base(point) / Float(extent))
    }
}

private struct Grid: Sendable {
    private let vertical: Side, horizontal: Side
    private let channels: Int

    init(_ pooling: BilinearPooling, _ map: BilinearPooling.Map, _ picture: BilinearPooling.Picture) {
        channels = map.channels
        vertical = Side(points: pooling.rows, extent: picture.height, mapExtent: map.height, step: map.width * map.channels)
        horizontal = Side(points: pooling.columns, extent: picture.width, mapExtent: map.width, step: map.channels)
    }

    /// The places of a box's rows and columns.
    @inline(__always)
    private func places(_ box: UnsafePointer<Float>, _ rows: inout [Place], _ columns: inout [Place]) {
        for i in rows.indices { rows[i] = vertical.place(i, centre: box[1], size: box[3]) }
        for j in columns.indices { columns[j] = horizontal.place(j, centre: box[0], size: box[2]) }
    }

    private var noRows: [Place] { [Place](repeating: Place(-1, extent: 0, step: 0), count: vertical.points) }
    private var noColumns: [Place] { [Place](repeating: Place(-1, extent: 0, step: 0), count: horizontal.points) }

    func sampled(_ u: Tensor, _ boxes: Tensor) -> Tensor {
        let n = boxes.shape[0], (rows, columns) = (vertical.points, horizontal.points), size = rows * columns * channels
        return Tensor(shape: [n, rows, columns, channels], on: u.backend) { v in
            nonisolated(unsafe) let (v, u0, b) = (v, u.pointer, boxes.pointer)
            u.backend.forEachPart(ofRows: n, width: size) { part in
                var ys = noRows, xs = noColumns
                for box in part {
                    places(b + box * 4, &ys, &xs)
                    var v = v + box * size
                    for y in ys {
                        for x in xs {
                            interpolate(u0, y, x, v)
                            v += channels
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private func interpolate(_ u: UnsafePointer<Float>, _ y: Place, _ x: Place, _ v: UnsafeMutablePointer<Float>) {
        let (u00, u01) = (u + (y.offset0 + x.offset0), u + (y.offset0 + x.offset1))
        let (u10, u11) = (u + (y.offset1 + x.offset0), u + (y.offset1 + x.offset1))
        let (w00, w01) = (y.weight0 * x.weight0, y.weight0 * x.weight1)
        let (w10, w11) = (y.weight1 * x.weight0, y.weight1 * x.weight1)
        var c = 0
        while c + Lanes.scalarCount <= channels {
            let upper = w00 * lanes(u00 + c) + w01 * lanes(u01 + c), lower = w10 * lanes(u10 + c) + w11 * lanes(u11 + c)
            setLanes(v + c, upper + lower)
            c += Lanes.scalarCount
        }
        while c < channels {
            let upper = w00 * u00[c] + w01 * u01[c], lower = w10 * u10[c] + w11 * u11[c]
            v[c] = upper + lower
            c += 1
        }
    }

    /// Boxes overlap, so threads divide the rows of the map: each adds to its own, and in the same order whatever their number.
    func featureGradient(_ dv: Tensor, _ boxes: Tensor, like shape: Shape) -> Tensor {
        let n = boxes.shape[0], row = horizontal.points * channels, mapRow = vertical.step
        let work = max(1, 2 * n * vertical.points * row / vertical.mapExtent)
        return Tensor(shape: shape, on: dv.backend) { du in
            nonisolated(unsafe) let (du, dv0, b) = (du, dv.pointer, boxes.pointer)
            dv.backend.forEachPart(ofRows: vertical.mapExtent, width: work) { part in
                let own = part.lowerBound * mapRow..<part.upperBound * mapRow
                (du + own.lowerBound).update(repeating: 0, count: own.count)
                var ys = noRows, xs = noColumns, dv = dv0
                for box in 0..<n {
                    places(b + box * 4, &ys, &xs)
                    for y in ys {
                        if y.weight0 != 0, own.contains(y.offset0) { spread(dv, y.weight0, xs, du + y.offset0) }
                        if y.weight1 != 0, own.contains(y.offset1) { spread(dv, y.weight1, xs, du + y.offset1) }
                        dv += row
                    }
                }
            }
        }
    }

    /// A row of the grid to a row of the map.
    @inline(__always)
    private func spread(_ dv: UnsafePointer<Float>, _ weight: Float, _ xs: [Place], _ du: UnsafeMutablePointer<Float>) {
        var dv = dv
        for x in xs {
            if x.weight0 != 0 { add(dv, weight * x.weight0, du + x.offset0) }
            if x.weight1 != 0 { add(dv, weight * x.weight1, du + x.offset1) }
            dv += channels
        }
    }

    @inline(__always)
    private func add(_ dv: UnsafePointer<Float>, _ weight: Float, _ du: UnsafeMutablePointer<Float>) {
        var c = 0
        while c + Lanes.scalarCount <= channels {
            setLanes(du + c, lanes(du + c) + weight * lanes(dv + c))
            c += Lanes.scalarCount
        }
        while c < channels {
            du[c] += weight * dv[c]
            c += 1
        }
    }

    func boxGradient(_ dv: Tensor, _ u: Tensor, _ boxes: Tensor) -> Tensor {
        let n = boxes.shape[0], size = vertical.points * horizontal.points * channels
        return Tensor(shape: [n, 4], on: dv.backend) { db in
            nonisolated(unsafe) let (db, dv0, u0, b) = (db, dv.pointer, u.pointer, boxes.pointer)
            dv.backend.forEachPart(ofRows: n, width: size) { part in
                var ys = noRows, xs = noColumns
                for box in part {
                    places(b + box * 4, &ys, &xs)
                    var dv = dv0 + box * size
                    // (xc, yc, w, h)
                    var d = SIMD4<Float>()
                    for (i, y) in ys.enumerated() {
                        let vertical = vertical.slopes(i)
                        for (j, x) in xs.enumerated() {
                            let (dx, dy) = slopes(dv, u0, y, x), horizontal = horizontal.slopes(j)
                            d += SIMD4(dx * horizontal.centre, dy * vertical.centre, dx * horizontal.size, dy * vertical.size)
                            dv += channels
                        }
                    }
                    for k in 0..<4 { db[box * 4 + k] = d[k] }
                }
            }
        }
    }

    /// How `Σ_c dv_c v_c` changes with the coordinates of a point.
    @inline(__always)
    private func slopes(
        _ dv: UnsafePointer<Float>, _ u: UnsafePointer<Float>, _ y: Place, _ x: Place
    ) -> (dx: Float, dy: Float) {
        let (u00, u01) = (u + (y.offset0 + x.offset0), u + (y.offset0 + x.offset1))
        let (u10, u11) = (u + (y.offset1 + x.offset0), u + (y.offset1 + x.offset1))
        var (s00, s01, s10, s11) = (Lanes(), Lanes(), Lanes(), Lanes())
        var c = 0
        while c + Lanes.scalarCount <= channels {
            let d = lanes(dv + c)
            s00 += d * lanes(u00 + c)
            s01 += d * lanes(u01 + c)
            s10 += d * lanes(u10 + c)
            s11 += d * lanes(u11 + c)
            c += Lanes.scalarCount
        }
        var (t00, t01, t10, t11) = (s00.sum(), s01.sum(), s10.sum(), s11.sum())
        while c < channels {
            t00 += dv[c] * u00[c]
            t01 += dv[c] * u01[c]
            t10 += dv[c] * u10[c]
            t11 += dv[c] * u11[c]
            c += 1
        }
        let upper = x.slope0 * t00 + x.slope1 * t01, lower = x.slope0 * t10 + x.slope1 * t11
        let left = y.slope0 * t00 + y.slope1 * t10, right = y.slope0 * t01 + y.slope1 * t11
        return (y.weight0 * upper + y.weight1 * lower, x.weight0 * left + x.weight1 * right)
    }
}

@inline(__always) private func lanes(_ p: UnsafePointer<Float>) -> Lanes {
    UnsafeRawPointer(p).loadUnaligned(as: Lanes.self)
}

@inline(__always) private func lanes(_ p: UnsafeMutablePointer<Float>) -> Lanes { lanes(UnsafePointer(p)) }

@inline(__always) private func setLanes(_ p: UnsafeMutablePointer<Float>, _ values: Lanes) {
    UnsafeMutableRawPointer(p).storeBytes(of: values, as: Lanes.self)
}
