import Testing

@testable import Store

struct StoreFaultTests {
    @Test(arguments: [
        StoreFault.unavailable("no such directory"), .readOnly("read-only file system"), .full, .conflict,
        .inconsistent("users.email is taken"), .wrongKey, .missingKey, .tooNew(version: 9),
    ])
    func `every fault is one sentence`(_ fault: StoreFault) {
        #expect(fault.message.hasPrefix("the store"))
        #expect(!fault.message.contains("\n"))
    }
}
