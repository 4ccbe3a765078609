import CLinux

/// What tells one state of a file from another without reading it.
package struct FileIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// Last change of the content, nanoseconds since 1970.
    package var modified: Int64
    /// Type and permission bits.
    package var mode: UInt64

    private init(_ raw: linux_file_identity) {
        device = raw.device
        inode = raw.inode
        size = raw.size
        modified = raw.modified_ns
        mode = raw.mode
    }

    /// The file a path leads to, symbolic links followed; nil when there is none. Calls stat(2).
    package init?(path: String) {
        var raw = linux_file_identity()
        guard unsafe linux_identify(-1, path, &raw) == 0 else { return nil }
        self.init(raw)
    }

    /// The file behind a descriptor. Calls fstat(2).
    package init?(descriptor: Int32) {
        var raw = linux_file_identity()
        guard unsafe linux_identify(descriptor, nil, &raw) == 0 else { return nil }
        self.init(raw)
    }

    /// The same file, whatever became of its content.
    package func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

    /// No directory, pipe, socket or device.
    package var isRegularFile: Bool { mode & 0o170000 == 0o100000 }

    /// Users outside the file's group may read it.
    package var isWorldReadable: Bool { mode & 0o004 != 0 }
}
