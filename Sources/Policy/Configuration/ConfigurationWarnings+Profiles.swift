import Core

extension ConfigurationWarnings {
    /// A 401 must have a challenge (RFC 9110 §15.5.2).
    mutating func reviewProfiles() {
        for name in configuration.profiles.keys.sorted() {
            guard let profile = configuration.profiles[name] else { continue }
            // By the place of the member that drops the challenge, which many refusals may share.
            var dropped: [String: (place: Located<Bool>, reasons: [String])] = [:]
            for denial in Denial.all {
                let answer = profile.answer(at: profile.place(of: denial))
                guard let challenge = answer.challenge, !challenge.value, (answer.status ?? denial.status) == 401,
                    !answer.headers.contains(where: { $0.name.lowercasedASCII == "www-authenticate" })
                else { continue }
                dropped[challenge.path, default: (challenge, [])].reasons.append(denial.reason)
            }
            for (place, reasons) in dropped.values {
                let others = reasons.count > 1 ? " and \(reasons.count - 1) more" : ""
                warn(
                    .challengeMissing, at: place.position, path: place.path,
                    "a 401 must have WWW-Authenticate (RFC 9110 §15.5.2), and these have none: \(reasons[0])\(others); "
                        + "give them another \"status\", or that field in \"headers\"")
            }
        }
    }
}
