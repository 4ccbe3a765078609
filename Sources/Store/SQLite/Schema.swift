/// The tables of a store, and how older ones become the present ones.
enum Schema {
    /// "PCUL": tells the file from other programs' databases.
    static let applicationID: Int64 = 0x5043_554C

    /// What makes format n+1 of format n, the first of an empty file. A migration that was released is not edited.
    private static let migrations: [StaticString] = [
        """
        PRAGMA application_id = 0x5043554C;
        CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
        INSERT INTO revision VALUES (1, 0);
        CREATE TABLE key_check (one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB NOT NULL) STRICT;
        CREATE TABLE users (
            id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash TEXT,
            scopes TEXT NOT NULL, is_enabled INTEGER NOT NULL, created_at INTEGER NOT NULL,
            tokens_valid_from INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE organizations (
            id TEXT PRIMARY KEY NOT NULL, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE projects (
            id TEXT PRIMARY KEY NOT NULL, organization TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
            slug TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (organization, slug)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE memberships (
            user TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
            organization TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
            project TEXT REFERENCES projects ON DELETE CASCADE, role TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX membership_identity ON memberships (user, organization, ifnull(project, ''));
        CREATE INDEX memberships_of_organization ON memberships (organization);
        CREATE INDEX memberships_of_project ON memberships (project);
        CREATE TABLE keys (
            id TEXT PRIMARY KEY NOT NULL, authenticator TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,
            owner TEXT REFERENCES users ON DELETE CASCADE, scopes TEXT NOT NULL, allowed_addresses TEXT NOT NULL,
            limits TEXT NOT NULL, realm TEXT, is_enabled INTEGER NOT NULL, created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX keys_of_owner ON keys (owner) WHERE owner IS NOT NULL;
        CREATE TABLE key_secrets (
            key TEXT NOT NULL REFERENCES keys ON DELETE CASCADE, place INTEGER NOT NULL, digest BLOB NOT NULL,
            created_at INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (key, place)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE key_usage (
            key TEXT PRIMARY KEY NOT NULL, count INTEGER NOT NULL, last_used_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE signing_keys (
            id TEXT PRIMARY KEY NOT NULL, key_set TEXT NOT NULL, realm TEXT, algorithm TEXT NOT NULL,
            sealed_material BLOB NOT NULL, created_at INTEGER NOT NULL, removed_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE token_families (
            id TEXT PRIMARY KEY NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL, key TEXT, scopes TEXT NOT NULL,
            current BLOB NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX token_families_of_subject ON token_families (subject);
        CREATE INDEX token_families_of_key ON token_families (key) WHERE key IS NOT NULL;
        CREATE TABLE upstream_credentials (
            name TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL, issued_at INTEGER NOT NULL,
            sealed_document BLOB NOT NULL, expires_at INTEGER, PRIMARY KEY (name, issuer, subject)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
        """,
        // Families begun before do not tell what their tokens are bound to, so they end.
        """
        DELETE FROM token_families;
        ALTER TABLE token_families ADD COLUMN secret BLOB;
        ALTER TABLE token_families ADD COLUMN realm TEXT;
        ALTER TABLE token_families ADD COLUMN is_narrowed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE token_families ADD COLUMN addresses TEXT;
        ALTER TABLE token_families ADD COLUMN lifetime INTEGER;
        PRAGMA user_version = 2;
        """,
        // `issued_at` and `ends_at` are 0 where no token had the claim.
        """
        ALTER TABLE upstream_credentials ADD COLUMN ends_at INTEGER NOT NULL DEFAULT 0;
        PRAGMA user_version = 3;
        """,
    ]

    /// Brings a database to the present format. What a newer program or another one wrote is left alone.
    static func migrate(_ connection: Connection) throws(StoreFault) {
        var version = try checkedVersion(connection)
        while version < migrations.count {
            version = try connection.transaction(writing: true) { () throws(StoreFault) in
                // Another process may have done it meanwhile.
                let version = try checkedVersion(connection)
                guard version < migrations.count else { return version }
                try connection.execute(migrations[version])
                return version &+ 1
            }
        }
    }

    /// The format of a store, 0 for an empty database.
    private static func checkedVersion(_ connection: Connection) throws(StoreFault) -> Int {
        let version = try connection.integer("PRAGMA user_version")
        if try connection.integer("PRAGMA application_id") != applicationID {
            let tables = try connection.integer("SELECT count(*) FROM sqlite_schema")
            guard version == 0, tables == 0 else {
                throw .unavailable("it is a database of another program")
            }
        }
        guard let version = Int(exactly: version), version >= 0 else { throw .unavailable("it is damaged: format \(version)") }
        guard version <= migrations.count else { throw .tooNew(version: version) }
        return version
    }
}
