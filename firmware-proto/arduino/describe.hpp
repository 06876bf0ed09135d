/* The board's half of a self-describing MicroFlo board: answers a host's questions about the board itself, and hands everything else
 * on to the firmware. The specification is firmware-proto's page `descriptor`.
 *
 * MicroFlo's parser has no hook for commands of others, so the transport that feeds it lets a `DescriptorTap` see each byte first. The
 * tap counts frames as the parser does and takes out those that are for it. It needs about a dozen bytes of RAM.
 *
 * Needs `descriptor.h`, which `microflo-bridge firmware descriptor` makes, and nothing of MicroFlo.
 */
#ifndef MICROFLO_DESCRIBE_HPP
#define MICROFLO_DESCRIBE_HPP

#include <stdint.h>
#include <string.h>

#include "descriptor.h"

namespace describe {

const uint8_t Query = 68;
enum Operation { Identify = 1, ReadContent = 2, ReadOwn = 3, WriteOwn = 4, CommitOwn = 5 };
enum ReplyId { Identity = 196, Content = 197, Own = 198, Written = 199 };
enum Outcome { Done = 0, NoStore = 1, OutOfRange = 2, WrongCrc = 3 };

const uint8_t BlockBytes = 6;     // of descriptor or record in one reply
const uint8_t ChunkBytes = 5;     // of record in one WriteOwn
const uint8_t PayloadBytes = 7;   // of every query and reply, behind its id
const uint8_t RecordBytes = 54;   // the longest own record: 22 and a label of 32
const uint8_t StoreBytes = 1 + 2 * RecordBytes; // which slot is in force, and two slots

// The 8-byte dialect has no request ids; in the 10-byte dialect one stands in front of each frame.
const uint8_t FrameBytes = MICROFLO_DESCRIPTOR_FRAME;
const uint8_t HeaderBytes = FrameBytes == 10 ? 1 : 0;
const char *const Magic = FrameBytes == 10 ? "microflo1" : "uC/Flo01";
const uint8_t MagicBytes = FrameBytes == 10 ? 9 : 8; // a request id follows in the 10-byte dialect
const uint8_t End = 14;

/* A board that cannot keep an id and a label. */
struct NoMemory {
    static bool there() { return false; }
    static uint8_t read(uint8_t) { return 0; }
    static void write(uint8_t, uint8_t) {}
};

/* The two slots of the own record in a memory that survives a reset. `Memory` is as above; `write` must not wear a byte that
 * already is as wanted. A new record is written to the slot that is not in force, and gets in force by one byte. */
template <class Memory> struct Record {
    // One bit decides, so that the byte says something at every moment of its change.
    static uint8_t inForce() { return Memory::read(0) & 1; }

    static uint8_t slot(uint8_t number) { return number ? 1 + RecordBytes : 1; }

    static uint8_t read(uint16_t at) {
        if (!Memory::there() || at >= RecordBytes) {
            return 0;
        }
        const uint8_t byte = Memory::read(slot(inForce()) + at);
        // 0 says that there is no memory; zeros are what some sketches fill it with.
        return at == 0 && byte == 0 ? 255 : byte;
    }

    static Outcome write(uint8_t chunk, const uint8_t *bytes) {
        if (!Memory::there()) {
            return NoStore;
        }
        const uint16_t start = (uint16_t)chunk * ChunkBytes;
        if (start >= RecordBytes) {
            return OutOfRange;
        }
        const uint8_t other = slot(!inForce());
        for (uint8_t i = 0; i < ChunkBytes && start + i < RecordBytes; i++) {
            Memory::write(other + start + i, bytes[i]);
        }
        return Done;
    }

    static Outcome commit(uint8_t length, uint32_t crc) {
        if (!Memory::there()) {
            return NoStore;
        }
        if (length == 0 || length > RecordBytes) {
            return OutOfRange;
        }
        const uint8_t current = inForce();
        if (crcOf(current, length) == crc) {
            return Done; // asked again
        }
        if (crcOf(!current, length) != crc) {
            return WrongCrc;
        }
        Memory::write(0, current ? 0 : 255);
        return Done;
    }

    /* CRC-32 as in Ethernet and zip. Bit by bit: it is rarely needed, and a table costs a kilobyte. */
    static uint32_t crcOf(uint8_t number, uint8_t length) {
        uint32_t crc = 0xFFFFFFFFUL;
        for (uint8_t i = 0; i < length; i++) {
            crc ^= Memory::read(slot(number) + i);
            for (uint8_t bit = 0; bit < 8; bit++) {
                crc = crc & 1 ? crc >> 1 ^ 0xEDB88320UL : crc >> 1;
            }
        }
        return ~crc;
    }
};

/* Sees every byte from the host before the firmware's parser does. */
template <class Memory> class DescriptorTap {
public:
    DescriptorTap() : state(LookForMagic), count(0), mine(false) {}

    /* Takes a byte. What is the firmware's goes to `parser.parseByte`. True: `reply`, of FrameBytes, is to be sent. */
    template <class Parser> bool feed(uint8_t byte, Parser &parser, uint8_t *reply) {
        buffer[count++] = byte;
        switch (state) {
        case LookForMagic:
            if (byte == (uint8_t)Magic[0]) {
                state = InMagic;
            } else {
                count = 0;
            }
            break;
        case InMagic:
            if (count == FrameBytes) {
                count = 0;
                state = isMagic() ? Session : Mismatched;
            }
            break;
        case Mismatched: // the parser drops a byte
            count = 0;
            state = LookForMagic;
            break;
        case Session:
            return sessionByte(parser, reply);
        }
        parser.parseByte(byte);
        return false;
    }

private:
    enum State { LookForMagic, InMagic, Mismatched, Session };

    bool isMagic() const { return memcmp(buffer, Magic, MagicBytes) == 0; }

    template <class Parser> bool sessionByte(Parser &parser, uint8_t *reply) {
        // Whose frame it is shows when id and operation are here. Until then it is held back.
        if (count == HeaderBytes + 1) {
            mine = buffer[HeaderBytes] == Query;
        } else if (count == HeaderBytes + 2 && mine) {
            const uint8_t operation = buffer[HeaderBytes + 1];
            mine = operation >= Identify && operation <= CommitOwn;
            if (!mine) {
                pass(parser, 0);
                return false;
            }
        }
        if (count <= HeaderBytes || mine) {
            if (count < FrameBytes) {
                return false;
            }
            count = 0;
            mine = false;
            answer(reply);
            return true;
        }
        pass(parser, count == HeaderBytes + 1 ? 0 : count - 1);
        return false;
    }

    /* Hands on what was read since `from`, and notices the frame's end. */
    template <class Parser> void pass(Parser &parser, uint8_t from) {
        for (uint8_t i = from; i < count; i++) {
            parser.parseByte(buffer[i]);
        }
        if (count == FrameBytes) {
            count = 0;
            if (buffer[HeaderBytes] == End) {
                state = LookForMagic;
            }
        }
    }

    void answer(uint8_t *reply) const {
        memset(reply, 0, FrameBytes);
        for (uint8_t i = 0; i < HeaderBytes; i++) {
            *reply++ = buffer[i];
        }
        const uint8_t *query = buffer + HeaderBytes + 1;
        uint8_t *payload = reply + 1;
        payload[0] = query[1];
        switch (query[0]) {
        case Identify:
            reply[0] = Identity;
            payload[0] = MICROFLO_DESCRIPTOR_VERSION;
            payload[1] = MICROFLO_DESCRIPTOR_BYTES & 255;
            payload[2] = MICROFLO_DESCRIPTOR_BYTES >> 8;
            for (uint8_t i = 0; i < 4; i++) {
                payload[3 + i] = (uint8_t)(MICROFLO_DESCRIPTOR_CRC >> 8 * i);
            }
            break;
        case ReadContent: {
            reply[0] = Content;
            const uint32_t at = (query[1] | (uint16_t)query[2] << 8) * (uint32_t)BlockBytes;
            for (uint8_t i = 0; i < BlockBytes && at + i < MICROFLO_DESCRIPTOR_BYTES; i++) {
                payload[1 + i] = MICROFLO_DESCRIPTOR_BYTE((uint16_t)at + i);
            }
            break;
        }
        case ReadOwn:
            reply[0] = Own;
            for (uint8_t i = 0; i < BlockBytes; i++) {
                payload[1 + i] = Record<Memory>::read((uint16_t)query[1] * BlockBytes + i);
            }
            break;
        case WriteOwn:
            written(reply, query, Record<Memory>::write(query[1], query + 2));
            break;
        case CommitOwn: {
            uint32_t crc = 0;
            for (uint8_t i = 4; i > 0; i--) {
                crc = crc << 8 | query[1 + i];
            }
            written(reply, query, Record<Memory>::commit(query[1], crc));
            break;
        }
        }
    }

    static void written(uint8_t *reply, const uint8_t *query, Outcome outcome) {
        reply[0] = Written;
        reply[1] = query[0];
        reply[2] = query[1];
        reply[3] = outcome;
    }

    State state;
    uint8_t count; // bytes of the frame that were read
    bool mine;
    uint8_t buffer[FrameBytes];
};

} // namespace describe

#endif // MICROFLO_DESCRIBE_HPP
