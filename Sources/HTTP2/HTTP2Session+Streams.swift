import CNghttp2
import Core

extension HTTP2Session {
    /// The stream of an identifier, as long as the library knows it.
    func stream(_ id: Int32) -> HTTP2Stream? {
        guard let pointer = unsafe nghttp2_session_get_stream_user_data(raw, id) else { return nil }
        // SAFETY: the library's stream points to one of `streams`, which is taken out of there only when the library
        // closes its own.
        return unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Makes the stream that the peer opened with `id`.
    func open(_ id: Int32) -> HTTP2Stream {
        let stream = HTTP2Stream(id: id, now: now)
        insert(stream)
        // SAFETY: `streams` holds the object until the library closes the stream.
        check(unsafe nghttp2_session_set_stream_user_data(raw, id, Unmanaged.passUnretained(stream).toOpaque()))
        return stream
    }

    /// Queues the fields in `vector` as the final head of a response.
    func submitResponse(on stream: HTTP2Stream, ends: Bool) {
        stream.isContentEnded = ends
        let result = unsafe vector.submit { fields, count in
            if ends { return unsafe nghttp2_submit_response(raw, stream.id, fields, count, nil) }
            var provider = unsafe contentProvider(for: stream)
            return unsafe nghttp2_submit_response(raw, stream.id, fields, count, &provider)
        }
        check(result)
    }

    /// Where the library gets a stream's content.
    func contentProvider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        // SAFETY: the library reads from the provider while its stream is open, and so long `streams` holds the object.
        unsafe nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()),
            read_callback: SessionCallbacks.readContent)
    }

    /// Queues the lines of `section` that are not dropped as the end of a stream.
    func submitTrailers(_ section: TrailerSection, on stream: HTTP2Stream) -> Int32 {
        unsafe section.bytes.withUnsafeBufferPointer { bytes in
            vector.removeAll()
            for line in section.fields where !line.isDropped { unsafe vector.append(line, of: bytes) }
            return unsafe vector.submit { fields, count in unsafe nghttp2_submit_trailer(raw, stream.id, fields, count) }
        }
    }
}
