import CNghttp2
import Core

extension HTTP2Bounds {
    /// The library's options that say the same, lent to `body`. What they cost is paid once per connection.
    func withOptions<Result>(_ body: (OpaquePointer?) -> Result) -> Result {
        var option: OpaquePointer?
        // SAFETY: the options are made, used and freed here; a null pointer stands for the library's own.
        guard unsafe nghttp2_option_new(&option) == 0 else { return body(nil) }
        defer { unsafe nghttp2_option_del(option) }
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_max_reserved_remote_streams(option, 0)
        unsafe nghttp2_option_set_peer_max_concurrent_streams(option, concurrentStreams)
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(option, Int(headerTableBytes))
        // A head of the gateway is bounded where it is made; this is only not to be in the way of it.
        unsafe nghttp2_option_set_max_send_header_block_length(option, 1 &<< 20)
        // `Glitch.cancelledStream` counts these, sooner and by a clock of ours.
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, 1 &<< 40, 1 &<< 20)
        unsafe nghttp2_option_set_max_outbound_ack(option, outboundAcks)
        unsafe nghttp2_option_set_max_settings(option, settingsEntries)
        // Counted as their headers come: the library counts each call that brings part of a frame's header.
        unsafe nghttp2_option_set_max_continuations(option, 1 &<< 40)
        return unsafe body(option)
    }
}
