//! Descriptor → C header, for firmware-proto's `arduino` files.

use std::fmt::Write;

use firmware_proto::descriptor::Identity;

use super::Options;

/// Bytes on a line of the array.
const LINE_BYTES: usize = 16;

/// The header that firmware is built with. `graph_bytes`: how long the embedded graph's command stream is, if it is known, so that a
/// header of another graph does not compile.
pub fn header(descriptor: &[u8], options: &Options, graph_bytes: Option<usize>) -> String {
    let Identity { version, length, crc } = Identity::of(descriptor);
    let frame = options.dialect.frame_len();
    let (nodes, messages) = (options.node_limit, options.message_limit);
    let graph = graph_bytes.map_or(String::new(), |bytes| format!("#define MICROFLO_DESCRIPTOR_GRAPH_BYTES {bytes}\n"));
    let mut array = String::new();
    for line in descriptor.chunks(LINE_BYTES) {
        array.push_str("\n   ");
        // Writing to a string cannot fail.
        line.iter().for_each(|byte| _ = write!(array, " 0x{byte:02x},"));
    }
    format!(
        "\
/* What this firmware tells of itself. Made by `microflo-bridge firmware descriptor`: make it anew after each `microflo generate`. */
#ifndef MICROFLO_DESCRIPTOR_H
#define MICROFLO_DESCRIPTOR_H

#include <stdint.h>

#define MICROFLO_DESCRIPTOR_VERSION {version}
#define MICROFLO_DESCRIPTOR_BYTES {length}
#define MICROFLO_DESCRIPTOR_CRC 0x{crc:08x}UL
#define MICROFLO_DESCRIPTOR_FRAME {frame}
#define MICROFLO_DESCRIPTOR_NODE_LIMIT {nodes}
#define MICROFLO_DESCRIPTOR_MESSAGE_LIMIT {messages}
{graph}
#ifdef __AVR__
#include <avr/pgmspace.h>
#define MICROFLO_DESCRIPTOR_MEMORY PROGMEM
#define MICROFLO_DESCRIPTOR_BYTE(at) pgm_read_byte(microflo_descriptor + (at))
#else
#define MICROFLO_DESCRIPTOR_MEMORY
#define MICROFLO_DESCRIPTOR_BYTE(at) microflo_descriptor[at]
#endif

static const uint8_t microflo_descriptor[MICROFLO_DESCRIPTOR_BYTES] MICROFLO_DESCRIPTOR_MEMORY = {{{array}
}};

#endif /* MICROFLO_DESCRIPTOR_H */
"
    )
}
