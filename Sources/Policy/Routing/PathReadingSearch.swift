import Core

/// Goes through the readings of one path.
struct PathReadingSearch {
    let readings: PathReadings
    let route: Route
    private var bytesLeft = PathReadings.byteLimit

    /// The readings that count.
    private var enabled: PathReadingSet
    /// Only ways to other routes count, and only to those that have these readings; nil where everything does.
    private var reaching: PathReadingSet?

    init(readings: PathReadings, route: Route, enabled: PathReadingSet) {
        self.readings = readings
        self.route = route
        self.enabled = enabled
    }

    /// Goes on with the readings of other routes. What was looked at before counts towards the bound.
    mutating func begin(enabled: PathReadingSet, reaching: PathReadingSet) {
        self.enabled = enabled
        self.reaching = reaching
    }

    /// The first reading that leads elsewhere.
    mutating func look(
        _ shape: PathShape, _ normal: Span<UInt8>, unmerged: Span<UInt8>?, _ head: RequestHead,
        _ scratch: inout PathReadings.Scratch
    ) -> PathAmbiguity? {
        switch shape {
        case .plain, .cased: return lookAtCase(of: normal, head, &scratch)
        case .odd: break
        }
        if enabled.isEmpty { return nil }
        if let found = lookAtAll(normal, isForwarded: true, head, &scratch) { return found }
        guard let unmerged else { return nil }
        return lookAtAll(unmerged, isForwarded: false, head, &scratch)
    }

    /// One thing a reading does, and in which of its forms the text is.
    private struct Step {
        var form: PathText.Form
        /// It is what the gateway itself reads: of use to be folded only.
        var isOwn = false
        var isForwarded: Bool
        /// A text that selects no route is refused: the policy does not expose such a path.
        var mustSelect: Bool
    }

    /// What can be read otherwise in a path.
    private struct Traits {
        var rounds = 1
        /// Bit n: a ";" shows after n decodings; a slash does; a segment ends in a dot or space.
        var semicolons: UInt8 = 0
        var slashes: UInt8 = 0
        var hasEnds = false
        var isEncoded = false
        /// Decoded once, some bytes are not UTF-8.
        var hasOctets = false

        /// Cutting parameters after so many decodings gives another text than after fewer: then another ";" shows, or another
        /// slash that ends them. -1 cuts none.
        func isCut(after decodings: Int) -> Bool {
            if decodings < 0 { return true }
            let bit = UInt8(1) << UInt8(decodings)
            return semicolons & (bit << 1 &- 1) != 0 && (semicolons | slashes) & bit != 0
        }
    }

    /// The reading of a path in normal form that nothing is to be decoded of.
    private mutating func lookAtCase(
        of path: Span<UInt8>, _ head: RequestHead, _ scratch: inout PathReadings.Scratch
    ) -> PathAmbiguity? {
        guard enabled.contains(.letterCase) else { return nil }
        scratch.folded.removeAll(keepingCapacity: true)
        LetterFold.append(path, to: &scratch.folded)
        let folded = scratch.folded
        let outcome = outcome(in: readings.folded, head, folded.span, &scratch.host)
        guard let outcome, counts(outcome) else { return nil }
        return PathAmbiguity(readings: [.letterCase], path: Self.text(folded), outcome: outcome)
    }

    /// - Parameter isForwarded: what goes on has all these readings.
    private mutating func lookAtAll(
        _ path: Span<UInt8>, isForwarded: Bool, _ head: RequestHead, _ scratch: inout PathReadings.Scratch
    ) -> PathAmbiguity? {
        let traits = traits(of: path)
        if isForwarded { PathText.write(path, PathText.Form(), to: &scratch.plain) }
        for rounds in 1...traits.rounds {
            for cut in -1...rounds where traits.isCut(after: cut) {
                for slashes in slashForms(traits, rounds) {
                    for trims in traits.hasEnds ? [false, true] : [false] {
                        var form = PathText.Form(rounds: rounds, cut: cut, slashes: slashes, trims: trims)
                        let isOwn = isForwarded && form == PathText.Form()
                            && !(enabled.contains(.doubleDecoding) && (traits.isEncoded || readings.decodesLiterals))
                        let step = Step(form: form, isOwn: isOwn, isForwarded: isForwarded, mustSelect: isForwarded)
                        if let found = look(step, path, traits, head, &scratch) { return found }
                        guard traits.hasOctets else { continue }
                        for octets in OctetReading.allCases {
                            form.octets = octets
                            let step = Step(form: form, isForwarded: isForwarded, mustSelect: isForwarded)
                            if let found = look(step, path, traits, head, &scratch) { return found }
                        }
                    }
                }
            }
        }
        return nil
    }

    /// Looks at one form of a path: with its empty segments, without them, without an authority.
    private mutating func look(
        _ step: Step, _ path: Span<UInt8>, _ traits: Traits, _ head: RequestHead, _ scratch: inout PathReadings.Scratch
    ) -> PathAmbiguity? {
        var step = step
        let findings = PathText.write(path, step.form, to: &scratch.text)
        // `encoded_slash: keep` says that such a slash is part of its segment: what would be more segments to others need not
        // be a path of the policy, unless it leads out of where it stands.
        if step.form.slashes == 1, !findings.hasDotSegment { step.mustSelect = false }
        // Of a path that is not forwarded like this, empty segments are what there is to be read.
        if step.isForwarded || enabled.contains(.emptySegments) {
            if let found = judge(step, traits, head, &scratch) { return found }
        }
        guard findings.hasEmptySegment else { return nil }
        step.isOwn = false
        let merges = enabled.contains(.emptySegments)
        if step.isForwarded, merges {
            step.form.merges = true
            PathText.write(path, step.form, to: &scratch.text)
            if let found = judge(step, traits, head, &scratch) { return found }
        }
        guard enabled.contains(.authority), findings.beginsWithOne else { return nil }
        for merges in merges ? [false, true] : [false] {
            step.form.merges = merges
            step.form.cutsAuthority = true
            PathText.write(path, step.form, to: &scratch.text)
            if let found = judge(step, traits, head, &scratch) { return found }
        }
        return nil
    }

    /// Looks the text up, as it is and with its letters folded.
    private mutating func judge(
        _ step: Step, _ traits: Traits, _ head: RequestHead, _ scratch: inout PathReadings.Scratch
    ) -> PathAmbiguity? {
        let text = scratch.text
        bytesLeft &-= text.count &+ 16
        guard bytesLeft > 0 else {
            return PathAmbiguity(readings: named(step, traits), path: Self.text(text), outcome: .tooManyReadings)
        }
        if !step.isOwn {
            var outcome = outcome(in: readings.decoded, head, text.span, &scratch.host)
            if outcome == nil, route.usesCaptures, !step.form.trims, !capturesAgree(scratch.plain.span, text.span) {
                outcome = .otherCaptures
            }
            if let outcome, step.mustSelect || outcome != .noRoute, counts(outcome) {
                return PathAmbiguity(readings: named(step, traits), path: Self.text(text), outcome: outcome)
            }
        }
        guard enabled.contains(.letterCase) else { return nil }
        scratch.folded.removeAll(keepingCapacity: true)
        LetterFold.append(text.span, to: &scratch.folded)
        let folded = scratch.folded
        if !readings.foldsLiterals, folded == text { return nil }
        guard let outcome = outcome(in: readings.folded, head, folded.span, &scratch.host),
            step.mustSelect || outcome != .noRoute, counts(outcome)
        else { return nil }
        let names = Set(named(step, traits) + [.letterCase])
        return PathAmbiguity(
            readings: PathReading.allCases.filter(names.contains), path: Self.text(folded), outcome: outcome)
    }

    private func counts(_ outcome: PathAmbiguity.Outcome) -> Bool {
        guard let reaching else { return true }
        switch outcome {
        case .route(let other): return readings.of(other) == reaching
        case .noRoute, .otherCaptures: return false
        case .tooManyReadings: return true
        }
    }

    /// What a lookup leads to; nil when it is the route.
    private func outcome(
        in table: RouteTable, _ head: RequestHead, _ path: Span<UInt8>, _ host: inout [UInt8]
    ) -> PathAmbiguity.Outcome? {
        guard let leaf = table.leaf(head, path: path, scratch: &host) else { return .noRoute }
        if table.selects(route.index, at: leaf, head) { return nil }
        switch table.choose(at: leaf, head) {
        case .found(let other): return .route(other)
        case .methodNotAllowed, .notFound: return .noRoute
        }
    }

    /// One walk over both texts.
    private func capturesAgree(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        var (start, other, number) = (1, 1, 0)
        for capture in route.captures {
            while number < capture.segment {
                guard let end = a.firstIndex(of: 0x2F, from: start), let otherEnd = b.firstIndex(of: 0x2F, from: other) else {
                    return false
                }
                (start, other, number) = (end &+ 1, otherEnd &+ 1, number &+ 1)
            }
            let end = a.firstIndex(of: 0x2F, from: start) ?? a.count
            let otherEnd = b.firstIndex(of: 0x2F, from: other) ?? b.count
            guard start <= end, other <= otherEnd, a.extracting(start..<end).equals(b.extracting(other..<otherEnd)) else {
                return false
            }
        }
        return true
    }

    // MARK: What there is to read

    private func traits(of path: Span<UInt8>) -> Traits {
        var traits = Traits()
        let decodesTwice = enabled.contains(.doubleDecoding)
        var endsInDot = false
        var index = 1
        while index < path.count {
            let character = PathText.character(path, at: index, rounds: decodesTwice ? 2 : 1)
            let bit = UInt8(1) << UInt8(character.depth)
            if character.depth > 0 { traits.isEncoded = true }
            if character.depth > 1 { traits.rounds = 2 }
            switch character.byte {
            case 0x3B: traits.semicolons |= bit
            case 0x2F, 0x5C: traits.slashes |= bit
            default: break
            }
            if endsInDot, character.byte == 0x2F || character.byte == 0x5C || character.byte == 0x3B { traits.hasEnds = true }
            endsInDot = character.byte == 0x2E || character.byte == 0x20
            index &+= character.width
        }
        traits.hasOctets = enabled.contains(.invalidUTF8) && !PathText.isUTF8(path)
        traits.hasEnds = (traits.hasEnds || endsInDot) && enabled.contains(.trailingDots)
        if !enabled.contains(.parameters) { traits.semicolons = 0 }
        if !enabled.contains(.encodedSlash) { traits.slashes &= ~0b10 }
        traits.slashes &= ~0b1
        return traits
    }

    private func slashForms(_ traits: Traits, _ rounds: Int) -> [Int] {
        if traits.slashes & 0b10 != 0 { return [PathText.Form.noSlashes, 1] }
        return rounds == 2 && traits.slashes & 0b100 != 0 ? [PathText.Form.noSlashes, 2] : [PathText.Form.noSlashes]
    }

    private func named(_ step: Step, _ traits: Traits) -> [PathReading] {
        let form = step.form
        var names: [PathReading] = []
        if form.merges || !step.isForwarded && !form.cutsAuthority { names.append(.emptySegments) }
        if form.cutsAuthority { names.append(.authority) }
        if form.cut >= 0 { names.append(.parameters) }
        if form.slashes == 1 { names.append(.encodedSlash) }
        // A decoding that nothing else is done to is all there is.
        if form.rounds == 2 || names.isEmpty && !form.trims && form.octets == nil { names.append(.doubleDecoding) }
        if form.trims { names.append(.trailingDots) }
        if form.octets != nil { names.append(.invalidUTF8) }
        return names
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).split(separator: "\0", omittingEmptySubsequences: false).joined(separator: "%2F")
    }
}
