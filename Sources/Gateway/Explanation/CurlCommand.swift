import Core
import Policy

/// A curl command line, read for the request it would make. Nothing is sent, and no file is read: of a client certificate the
/// name of its file is told.
package struct CurlCommand {
    fileprivate enum Kind {
        /// Changes nothing that is asked about.
        case ignored
        /// The same, with a value behind it.
        case ignoredValue
        case method, header, content, jsonContent, formContent, user, cookie, userAgent, referer, url
        case get, head, bearer, uploadFile, http1, http2, pathAsIs, globOff, certificate
    }

    private static let long: [String: Kind] = [
        "request": .method, "header": .header, "data": .content, "data-raw": .content, "data-ascii": .content,
        "data-binary": .content, "data-urlencode": .content, "json": .jsonContent, "form": .formContent,
        "form-string": .formContent, "user": .user, "cookie": .cookie, "user-agent": .userAgent, "referer": .referer,
        "url": .url, "get": .get, "head": .head, "oauth2-bearer": .bearer, "upload-file": .uploadFile,
        "http2": .http2, "http2-prior-knowledge": .http2, "http1.1": .http1, "http1.0": .http1, "http3": .http2,
        "insecure": .ignored, "silent": .ignored, "show-error": .ignored, "include": .ignored, "verbose": .ignored,
        "fail": .ignored, "fail-with-body": .ignored, "fail-early": .ignored, "location": .ignored,
        "compressed": .ignored, "globoff": .globOff, "no-buffer": .ignored, "path-as-is": .pathAsIs, "ipv4": .ignored,
        "ipv6": .ignored, "remote-name": .ignored, "no-progress-meter": .ignored, "progress-bar": .ignored,
        "tlsv1.2": .ignored, "tlsv1.3": .ignored, "ssl-reqd": .ignored, "basic": .ignored, "disable": .ignored,
        "location-trusted": .ignored, "tcp-nodelay": .ignored, "raw": .ignored, "no-keepalive": .ignored,
        "output": .ignoredValue, "resolve": .ignoredValue, "connect-to": .ignoredValue, "cacert": .ignoredValue,
        "capath": .ignoredValue, "max-time": .ignoredValue, "connect-timeout": .ignoredValue, "retry": .ignoredValue,
        "retry-delay": .ignoredValue, "write-out": .ignoredValue, "dump-header": .ignoredValue, "cert": .certificate,
        "cert-type": .ignoredValue, "key-type": .ignoredValue, "pass": .ignoredValue, "key": .ignoredValue,
        "proxy": .ignoredValue, "noproxy": .ignoredValue, "interface": .ignoredValue,
        "cookie-jar": .ignoredValue, "max-redirs": .ignoredValue, "limit-rate": .ignoredValue, "ciphers": .ignoredValue,
        "unix-socket": .ignoredValue, "tls-max": .ignoredValue, "stderr": .ignoredValue, "trace": .ignoredValue,
    ]

    private static let short: [Character: String] = [
        "X": "request", "H": "header", "d": "data", "F": "form", "u": "user", "b": "cookie", "A": "user-agent",
        "e": "referer", "G": "get", "I": "head", "k": "insecure", "s": "silent", "S": "show-error", "i": "include",
        "v": "verbose", "f": "fail", "L": "location", "g": "globoff", "N": "no-buffer", "4": "ipv4", "6": "ipv6",
        "O": "remote-name", "o": "output", "m": "max-time", "w": "write-out", "D": "dump-header", "E": "cert",
        "x": "proxy", "c": "cookie-jar", "T": "upload-file", "q": "disable", "#": "progress-bar", "1": "tlsv1.2",
        "0": "http1.0",
    ]

    private var method: String?
    private var url: String?
    private var headers: [(name: String, value: String)] = []
    /// Fields by option, which a header of the same name replaces.
    private var agent = "curl"
    private var referer: String?
    private var cookies: [String] = []
    private var user: String?
    private var bearer: String?
    /// What curl adds unless a header says otherwise.
    private var content: [String] = []
    private var form: [String] = []
    private var contentType: String?
    private var isJSON = false
    private var isUpload = false
    private var isPathAsIs = false
    private var isGlobOff = false
    private var certificatePath: String?
    private var isGet = false
    private var isHead = false
    private var version: WireProtocol?
    private var isPriorKnowledge = false
    private var remarks: [String] = []

    /// The request of a command line that begins with `curl`, a prompt before it allowed.
    package static func request(_ line: String) throws(ExplainFault) -> ExplainRequest {
        let split = try ShellWords.split(line)
        var words = split.words[...]
        if let first = words.first, first == "$" || first == "%" || first == ">" { words.removeFirst() }
        guard let command = words.popFirst() else { throw ExplainFault("no command") }
        guard command == "curl" || command.hasSuffix("/curl") || command == "curl.exe" else {
            // Something else may be a credential.
            let isWord = command.utf8.count <= 16 && command.utf8.allSatisfy { $0 | 0x20 &- 0x61 < 26 }
            throw ExplainFault(isWord ? "\"\(command)\" is not curl" : "what does not begin with curl is no curl command")
        }
        var curl = CurlCommand()
        if let name = split.quotedVariable {
            curl.remarks.append("$\(name) stands in single quotes: a shell puts nothing in its place, and so it is sent as it stands")
        }
        try curl.take(Array(words))
        return try curl.request()
    }

    // MARK: Options

    private mutating func take(_ words: [String]) throws(ExplainFault) {
        var index = 0
        var isOptions = true
        /// The word behind an option.
        func value(of option: String) throws(ExplainFault) -> String {
            index += 1
            guard index < words.count else { throw ExplainFault("\(option) needs a value") }
            return words[index]
        }
        while index < words.count {
            let word = words[index]
            if !isOptions || !word.hasPrefix("-") || word == "-" {
                try takeURL(word)
            } else if word == "--" {
                isOptions = false
            } else if word.hasPrefix("--") {
                let name = String(word.dropFirst(2))
                guard let kind = Self.long[name] else {
                    let shown = OneLine.quoted(String(word.prefix { $0 != "=" && $0 != ":" && $0 != " " }))
                    throw ExplainFault(
                        name.contains("=")
                            ? "the curl option \(shown) is not known with \"=\"; curl wants a blank before the value"
                            : "the curl option \(shown) is not known here; leave it out")
                }
                try take(kind, name, kind.hasValue ? try value(of: word) : "")
            } else {
                var letters = word.dropFirst()
                while let letter = letters.popFirst() {
                    guard let name = Self.short[letter], let kind = Self.long[name] else {
                        throw ExplainFault("the curl option -\(OneLine.quoted(String(letter))) is not known here; leave it out")
                    }
                    if kind.hasValue {
                        try take(kind, name, letters.isEmpty ? try value(of: "-\(letter)") : String(letters))
                        letters = ""
                    } else {
                        try take(kind, name, "")
                    }
                }
            }
            index += 1
        }
    }

    private mutating func take(_ kind: Kind, _ name: String, _ value: String) throws(ExplainFault) {
        switch kind {
        case .ignored, .ignoredValue: break
        case .globOff: isGlobOff = true
        case .certificate:
            // A password may stand behind the file; nobody needs it here.
            certificatePath = String(value.prefix { $0 != ":" })
        case .method: method = value
        case .header: takeHeader(value)
        case .content: takeContent(value, name)
        case .jsonContent:
            takeContent(value, name)
            isJSON = true
            contentType = "application/json"
        case .formContent:
            form.append(value)
            contentType = "multipart/form-data; boundary=------------------------portcullis"
            remarks.append("the length of a form is not exact")
        case .user: user = value
        case .cookie:
            // Without "=" it names a file, whose cookies nobody sees here.
            value.contains("=") ? cookies.append(value) : remarks.append("the cookies of a file are not read")
        case .userAgent: agent = value
        case .referer: referer = value
        case .bearer: bearer = value
        case .url: try takeURL(value)
        case .get: isGet = true
        case .head: isHead = true
        case .uploadFile:
            isUpload = true
            remarks.append("the file to upload is not read: its length is taken for 0")
        case .pathAsIs: isPathAsIs = true
        case .http1: version = .http11
        case .http2:
            version = .http2
            // Without TLS curl asks for it in a request of HTTP/1.1, unless it is to begin with it.
            isPriorKnowledge = name == "http2-prior-knowledge"
            remarks.append("the decision is the same over HTTP/2")
        }
    }

    private mutating func takeURL(_ text: String) throws(ExplainFault) {
        guard url == nil else { throw ExplainFault("two URLs; one request at a time is explained") }
        url = text
    }

    /// `Name: value`; `Name:` takes away what curl would add, `Name;` sends it empty.
    private mutating func takeHeader(_ text: String) {
        if text.hasPrefix("@") {
            remarks.append("the headers of a file are not read")
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...].trimmed
            let name = text[..<colon].trimmed
            headers.append((name, value.isEmpty ? Self.removed : value))
        } else if text.hasSuffix(";") {
            headers.append((String(text.dropLast()), ""))
        }
    }

    private static let removed = "\0"

    private mutating func takeContent(_ text: String, _ name: String) {
        if name == "data-urlencode", let mark = text.firstIndex(where: { $0 == "=" || $0 == "@" }), text[mark] == "@" {
            remarks.append("the content of a file is not read: its length is taken for 0")
            content.append(mark == text.startIndex ? "" : text[..<mark] + "=")
        } else if text.hasPrefix("@"), name != "data-raw" {
            remarks.append("the content of a file is not read: its length is taken for 0")
            content.append("")
        } else {
            content.append(name == "data-urlencode" ? Self.urlEncoded(text) : text)
        }
    }

    /// `name=content` with the content percent-encoded, as --data-urlencode does.
    private static func urlEncoded(_ text: String) -> String {
        guard let equals = text.firstIndex(of: "=") else { return PercentEncoding.encode(text) }
        let name = text[..<equals]
        let value = PercentEncoding.encode(String(text[text.index(after: equals)...]))
        return name.isEmpty ? value : "\(name)=\(value)"
    }

    private func has(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name.lowercased() } }

    // MARK: The request

    private func request() throws(ExplainFault) -> ExplainRequest {
        guard let url else { throw ExplainFault("the command has no URL") }
        let ways = [isHead, isUpload, !form.isEmpty, !content.isEmpty && !isGet || !content.isEmpty && !form.isEmpty]
        guard ways.count(where: { $0 }) <= 1 else {
            throw ExplainFault("curl sends one of -d, -F, -T and -I; it refuses a command with two of them")
        }
        if !isGlobOff, ExplainTarget.isPattern(url) {
            throw ExplainFault("curl reads {…} and […] in a URL as several of them; one request at a time is explained, or add -g")
        }
        var target = try ExplainTarget(url)
        if !isPathAsIs { target.removeDotSegments() }
        // A header, even one that is taken away, comes before what curl would make of these.
        if has("Authorization") || bearer != nil || user != nil { target.userinfo = nil }
        var count: Int?
        let joined = content.joined(separator: "&")
        if !form.isEmpty {
            count = form.joined(separator: "&").utf8.count
        } else if isGet {
            if !joined.isEmpty { target.append(query: joined) }
        } else if !content.isEmpty {
            count = joined.utf8.count
        }
        let fields = fields(withContent: count != nil || isGet && isJSON)
        let verb = method ?? (isHead ? "HEAD" : isUpload ? "PUT" : count != nil ? "POST" : "GET")
        var request = try ExplainRequest.made(method: verb, target: target, headers: fields, contentBytes: isUpload ? 0 : count)
        request.remarks = remarks
        request.certificatePath = certificatePath
        request.version = target.isSecure ? version : isPriorKnowledge ? .http2 : .http11
        return request
    }

    /// The fields in the order curl sends them.
    private func fields(withContent hasContent: Bool) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if let bearer {
            fields.append(("Authorization", "Bearer \(bearer)"))
        } else if let user {
            let pair = user.contains(":") ? user : user + ":"
            fields.append(("Authorization", BasicCredentials.value(Array(pair.utf8))))
        }
        if !agent.isEmpty { fields.append(("User-Agent", agent)) }
        fields.append(("Accept", isJSON ? "application/json" : "*/*"))
        if let referer { fields.append(("Referer", referer)) }
        if !cookies.isEmpty { fields.append(("Cookie", cookies.joined(separator: ";"))) }
        if hasContent { fields.append(("Content-Type", contentType ?? "application/x-www-form-urlencoded")) }
        return fields.filter { !has($0.name) } + headers.filter { $0.value != Self.removed }
    }
}

extension CurlCommand.Kind {
    fileprivate var hasValue: Bool {
        switch self {
        case .ignored, .get, .head, .http1, .http2, .pathAsIs, .globOff: false
        case .ignoredValue, .method, .header, .content, .jsonContent, .formContent, .user, .cookie, .userAgent,
            .referer, .url, .bearer, .uploadFile, .certificate:
            true
        }
    }
}

extension Substring {
    /// Without blanks at both ends.
    fileprivate var trimmed: String {
        let start = firstIndex { $0 != " " && $0 != "\t" } ?? endIndex
        let end = lastIndex { $0 != " " && $0 != "\t" }.map(index(after:)) ?? start
        return String(self[start..<Swift.max(start, end)])
    }
}

/// Percent-encoding of everything but unreserved characters (RFC 3986 §2.3).
private enum PercentEncoding {
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isUnreserved =
                byte.isDigit || byte.lowercasedASCII &- 0x61 < 26 || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            encoded += isUnreserved ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
        }
        return encoded
    }
}
