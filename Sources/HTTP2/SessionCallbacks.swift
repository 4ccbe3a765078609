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
        unsafe setReceiving(callbacks)
        unsafe setSending(callbacks)
        return unsafe callbacks
    }()

    private static func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session? {
        guard let user = unsafe user else { return nil }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(user).takeUnretainedValue()
    }

    private static let failed = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

    private static func setReceiving(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let session = unsafe SessionCallbacks.session(user), let header = unsafe header else { return 0 }
            return unsafe session.beganFrame(header.pointee) ? 0 : SessionCallbacks.failed
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let session = unsafe SessionCallbacks.session(user), let frame = unsafe frame else { return 0 }
            unsafe session.beginHeaders(of: frame.pointee.hd.stream_id, category: frame.pointee.headers.cat)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, _, name, nameCount, value, valueCount, _, user in
            guard let session = unsafe SessionCallbacks.session(user) else { return 0 }
            let isBearable = unsafe session.receivedField(
                Span(_unsafeElements: UnsafeBufferPointer(start: name, count: nameCount)),
                Span(_unsafeElements: UnsafeBufferPointer(start: value, count: valueCount)))
            return isBearable ? 0 : SessionCallbacks.failed
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, name, nameCount, _, _, _, user in
            let session = unsafe SessionCallbacks.session(user)
            unsafe session?.noteInvalidField(Span(_unsafeElements: UnsafeBufferPointer(start: name, count: nameCount)))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let session = unsafe SessionCallbacks.session(user), let frame = unsafe frame else { return 0 }
            return unsafe session.receivedFrame(frame) ? 0 : SessionCallbacks.failed
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, error, user in
            guard let session = unsafe SessionCallbacks.session(user), let frame = unsafe frame else { return 0 }
            return unsafe session.receivedInvalidFrame(frame.pointee.hd, error) ? 0 : SessionCallbacks.failed
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, user in
            let session = unsafe SessionCallbacks.session(user)
            unsafe session?.receivedContent(Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: count)), on: id)
            return 0
        }
        // Frames of unknown kinds are counted when they begin, and their payload is dropped.
        unsafe nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks) { _, _, _, _, _ in 0 }
        unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, _, _ in NGHTTP2_ERR_CANCEL.rawValue }
    }

    private static func setSending(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let session = unsafe SessionCallbacks.session(user), let frame = unsafe frame else { return 0 }
            return unsafe session.wroteFrame(frame) ? 0 : SessionCallbacks.failed
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, user in
            guard let session = unsafe SessionCallbacks.session(user), let frame = unsafe frame else { return 0 }
            unsafe session.couldNotWrite(frame)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            unsafe SessionCallbacks.session(user)?.closed(id, HTTP2ErrorCode(wire: code))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, count, source, user in
            guard let session = unsafe SessionCallbacks.session(user), let header = unsafe header,
                let pointer = unsafe source?.pointee.ptr
            else { return SessionCallbacks.failed }
            let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
            // A frame's header is nine bytes (RFC 9113 §4.1).
            let hasRoom = unsafe session.writeContent(
                Span(_unsafeElements: UnsafeBufferPointer(start: header, count: 9)), count, of: stream)
            return hasRoom ? 0 : NGHTTP2_ERR_PAUSE.rawValue
        }
    }

    /// Says how much of a stream's content goes into the next frame.
    static let readContent: nghttp2_data_source_read_callback = { _, _, _, limit, flags, source, user in
        guard let session = unsafe SessionCallbacks.session(user), let pointer = unsafe source?.pointee.ptr,
            let flags = unsafe flags
        else { return Int(SessionCallbacks.failed) }
        let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
        return unsafe session.offerContent(of: stream, limit: limit, flags: &flags.pointee)
    }
}
