private import Core

/// A sealed constant in the store, by which a wrong encryption key is known at opening. It is there from the first secret on.
enum KeyCheck {
    private static let place = ["key_check"]
    private static let constant = Array("portcullis".utf8)

    /// Throws `.wrongKey` or `.missingKey` when the store has secrets that this key does not open.
    static func verify(_ key: EncryptionKey?, _ connection: Connection) throws(StoreFault) {
        guard let sealed = try sealed(connection) else { return }
        guard let key else { throw .missingKey }
        guard key.open(sealed, for: place) == constant else { throw .wrongKey }
    }

    /// Call before something is sealed, in the transaction that does it.
    static func establish(_ key: EncryptionKey, _ connection: Connection) throws(StoreFault) {
        if try sealed(connection) == nil {
            try connection.run("INSERT INTO key_check VALUES (1, ?)", .blob(key.seal(constant, for: place)))
        } else {
            try verify(key, connection)
        }
    }

    private static func sealed(_ connection: Connection) throws(StoreFault) -> [UInt8]? {
        var sealed: [UInt8]?
        try connection.statement("SELECT sealed FROM key_check").rows([]) { (row: inout Row) in sealed = row.blob() }
        return sealed
    }
}
