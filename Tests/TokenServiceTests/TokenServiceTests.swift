import Testing

@testable import TokenService

struct TokenServiceTests {}
