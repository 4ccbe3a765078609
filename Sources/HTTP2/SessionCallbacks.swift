import CNghttp2
import Core

/// What the library calls, as C wants it: each finds the session and calls the method that does the work.
///
/// SAFETY, for all of them: `user` is the session's own address, set when it was made; the library calls only from
/// within calls of the session's methods, so the object is alive. Pointers to frames, names, values and content are good
/// until the callback returns, and nothing keeps them longer.
enum SessionCallbacks {
    /// Made once and never changed, and the library copies it: any thread may read it.
    nonisolated(unsafe) static let shared: OpaquePointer? = {
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        unsafe setReceivingFrames(callbacks)
        unsafe setReceivingFields(callbacks)
        unsafe setSending(callbacks)
        return unsafe callbacks
    }()

    private static let failed = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

    /// Lends the session to `body` without counting the reference, which a dozen callbacks a request would do.
    @inline(__always)
    private static func lend(
        _ user: UnsafeMutableRawPointer?, else fallback: Int32 = 0, _ body: (HTTP2Session) -> Int32
    ) -> Int32 {
        guard let user = unsafe user else { return fallback }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef { body($0) }
    }

    private static func setReceivingFrames(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe SessionCallbacks.lend(user) { unsafe $0.receivedFrame(frame) ? 0 : SessionCallbacks.failed }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, error, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe SessionCallbacks.lend(user) { session in
                unsafe session.receivedInvalidFrame(frame.pointee.hd, error) ? 0 : SessionCallbacks.failed
            }
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, user in
            unsafe SessionCallbacks.lend(user) { session in
                let content = unsafe UnsafeBufferPointer(start: bytes, count: count)
                session.receivedContent(unsafe Span(_unsafeElements: content), on: id)
                return 0
            }
        }
    }

    private static func setReceivingFields(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe SessionCallbacks.lend(user) { session in
                let isBearable = unsafe session.beganHeaders(
                    of: frame.pointee.hd.stream_id, category: frame.pointee.headers.cat)
                return isBearable ? 0 : SessionCallbacks.failed
            }
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, _, name, nameCount, value, valueCount, _, user in
            unsafe SessionCallbacks.lend(user) { session in
                let isBearable = unsafe session.receivedField(
                    Span(_unsafeElements: UnsafeBufferPointer(start: name, count: nameCount)),
                    Span(_unsafeElements: UnsafeBufferPointer(start: value, count: valueCount)))
                return isBearable ? 0 : SessionCallbacks.failed
            }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            unsafe SessionCallbacks.lend(user) { session in
                let isBearable = unsafe session.receivedInvalidField(
                    Span(_unsafeElements: UnsafeBufferPointer(start: name, count: nameCount)),
                    Span(_unsafeElements: UnsafeBufferPointer(start: value, count: valueCount)))
                return isBearable ? 0 : SessionCallbacks.failed
            }
        }
    }

    private static func setSending(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe SessionCallbacks.lend(user) { session in
                unsafe session.wroteFrame(frame)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe SessionCallbacks.lend(user) { session in
                unsafe session.couldNotWrite(frame)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            unsafe SessionCallbacks.lend(user) { session in
                session.closed(id, HTTP2ErrorCode(wire: code))
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, count, source, user in
            guard let header = unsafe header, let pointer = unsafe source?.pointee.ptr else { return SessionCallbacks.failed }
            return unsafe SessionCallbacks.lend(user, else: SessionCallbacks.failed) { session in
                // A frame's header is nine bytes (RFC 9113 §4.1).
                let header = unsafe UnsafeBufferPointer(start: header, count: 9)
                let hasRoom = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
                    session.writeContent(unsafe Span(_unsafeElements: header), count, of: stream)
                }
                return hasRoom ? 0 : NGHTTP2_ERR_PAUSE.rawValue
            }
        }
    }

    /// Says how much of a stream's content goes into the next frame.
    static let readContent: nghttp2_data_source_read_callback = { _, _, _, limit, flags, source, user in
        guard let pointer = unsafe source?.pointee.ptr, let flags = unsafe flags else { return Int(SessionCallbacks.failed) }
        let count = unsafe SessionCallbacks.lend(user, else: SessionCallbacks.failed) { session in
            unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
                // At most the length of a frame, which fits.
                unsafe Int32(truncatingIfNeeded: session.offerContent(of: stream, limit: limit, flags: &flags.pointee))
            }
        }
        return Int(count)
    }
}
