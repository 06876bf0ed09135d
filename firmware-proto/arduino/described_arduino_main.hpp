/* Main file of a self-describing board, in place of MicroFlo's arduino_main.hpp:
 *
 *   microflo generate blink.fbp build/main.cpp --target arduino:avr --mainfile .../described_arduino_main.hpp --library ...
 *   microflo-bridge firmware descriptor build > build/descriptor.h
 *
 * The board's id and label are kept in the last 109 bytes of the EEPROM of AVR boards; MICROFLO_STORE_ADDRESS puts them elsewhere.
 * Other boards keep none, unless MICROFLO_STORE is defined as a class like `describe::NoMemory` that does.
 */
#include "arduino.hpp"
#include "describe.hpp"

#ifndef MICROFLO_ARDUINO_BAUDRATE
#define MICROFLO_ARDUINO_BAUDRATE 9600
#endif

static_assert(MICROFLO_DESCRIPTOR_FRAME == MICROFLO_CMD_SIZE,
              "descriptor.h is for firmware that speaks another dialect: make it with another --dialect");
static_assert(MICROFLO_DESCRIPTOR_NODE_LIMIT == MICROFLO_MAX_NODES,
              "make descriptor.h with --node-limit as this firmware's MICROFLO_NODE_LIMIT");
static_assert(MICROFLO_DESCRIPTOR_MESSAGE_LIMIT == MICROFLO_MAX_MESSAGES,
              "make descriptor.h with --message-limit as this firmware's MICROFLO_MESSAGE_LIMIT");
#ifdef MICROFLO_DESCRIPTOR_GRAPH_BYTES
static_assert(MICROFLO_DESCRIPTOR_GRAPH_BYTES == sizeof(graph),
              "descriptor.h is of another graph: make it anew after each `microflo generate`");
#endif

#if defined(MICROFLO_STORE)
typedef MICROFLO_STORE OwnMemory;
#elif defined(__AVR__)
#include <avr/eeprom.h>
#ifndef MICROFLO_STORE_ADDRESS
#define MICROFLO_STORE_ADDRESS (E2END + 1 - describe::StoreBytes)
#endif
struct OwnMemory {
    static bool there() { return true; }
    static uint8_t *place(uint8_t at) { return (uint8_t *)(MICROFLO_STORE_ADDRESS + at); }
    static uint8_t read(uint8_t at) { return eeprom_read_byte(place(at)); }
    static void write(uint8_t at, uint8_t byte) { eeprom_update_byte(place(at), byte); } // writes only what differs
};
#else
typedef describe::NoMemory OwnMemory;
#endif

/* The serial port, with the tap in front of the firmware's parser. */
class DescribedTransport : public SerialHostTransport {
public:
    DescribedTransport(uint8_t port, int baudrate) : SerialHostTransport(port, baudrate), io(0), controller(0), port(port) {}

    virtual void setup(IO *i, HostCommunication *c) {
        SerialHostTransport::setup(i, c);
        io = i;
        controller = c;
    }

    virtual void runTick() {
        if (io->SerialDataAvailable(port) <= 0) {
            return;
        }
        uint8_t reply[describe::FrameBytes];
        if (tap.feed(io->SerialRead(port), *controller, reply)) {
            sendCommand(reply, sizeof(reply));
        }
    }

private:
    IO *io;
    HostCommunication *controller;
    uint8_t port;
    describe::DescriptorTap<OwnMemory> tap;
};

ArduinoIO io;
FixedMessageQueue queue;
Network network(&io, &queue);
HostCommunication controller;
DescribedTransport transport(0, MICROFLO_ARDUINO_BAUDRATE);

void setup() {
    transport.setup(&io, &controller);
    controller.setup(&network, &transport);
#ifdef MICROFLO_EMBED_GRAPH
    for (unsigned int i = 0; i < sizeof(graph); i++) {
#ifdef __AVR__
        controller.parseByte(pgm_read_byte_near(graph + i));
#else
        controller.parseByte(graph[i]);
#endif
    }
#endif
}

void loop() {
    transport.runTick();
    network.runTick();
}

#include "microflo.hpp"
