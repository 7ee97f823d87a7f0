/// What a plugin module offers its host: one architecture.
public struct Plugin: Sendable {
    /// Raised with every change that a compiled plugin would notice.
    public static let apiVersion = 2

    /// The name cards call the architecture by, and of the plugin's module.
    public let name: String
    /// The paper or papers, one line.
    public let reference: String
    public let model: any Model.Type

    public init(name: String, reference: String, model: any Model.Type) {
        (self.name, self.reference, self.model) = (name, reference, model)
    }
}

/// Carries a plugin through a C function's result.
public final class PluginBox {
    public let plugin: Plugin
    init(_ plugin: Plugin) { self.plugin = plugin }
}

extension Plugin {
    /// For the C function `zoo_plugin_<Name>` that every plugin exports; the host takes the reference over.
    public func retainedPointer() -> UnsafeMutableRawPointer { Unmanaged.passRetained(PluginBox(self)).toOpaque() }

    /// Takes over what ``retainedPointer()`` gave.
    public init(consuming pointer: UnsafeMutableRawPointer) {
        self = Unmanaged<PluginBox>.fromOpaque(pointer).takeRetainedValue().plugin
    }
}
