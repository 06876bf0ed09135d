/* Main file of a self-describing board that is a Linux process with a pseudo-terminal, in place of MicroFlo's linux_main.hpp:
 *
 *   firmware LINK [STORE]
 *
 * LINK is the symbolic link to make to the terminal; STORE is the file that keeps the board's id and label. Without it there are none.
 */
#include "linux.hpp"
#include "describe.hpp"

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

/* The record in a file. */
struct FileMemory {
    static int file;

    static bool open(const char *path) {
        file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        const uint8_t erased = 255;
        for (off_t at = file < 0 ? describe::StoreBytes : lseek(file, 0, SEEK_END); at < describe::StoreBytes; at++) {
            if (pwrite(file, &erased, 1, at) != 1) {
                return false;
            }
        }
        return there();
    }

    static bool there() { return file >= 0; }

    static uint8_t read(uint8_t at) {
        uint8_t byte = 255;
        return pread(file, &byte, 1, at) == 1 ? byte : 255;
    }

    static void write(uint8_t at, uint8_t byte) {
        if (read(at) != byte && pwrite(file, &byte, 1, at) != 1) {
            perror("the id and the label cannot be stored");
        }
    }
};
int FileMemory::file = -1;

/* A pseudo-terminal, with the tap in front of the firmware's parser. */
class DescribedTransport : public HostTransport {
public:
    explicit DescribedTransport(const char *link) : link(link), master(-1), controller(0) {}

    virtual void setup(IO *, HostCommunication *c) {
        controller = c;
        int slave; // stays open, so that the terminal outlives its clients
        struct termios raw;
        char name[64];
        if (openpty(&master, &slave, name, 0, 0) != 0 || tcgetattr(slave, &raw) != 0) {
            perror("no pseudo-terminal");
            exit(1);
        }
        cfmakeraw(&raw);
        tcsetattr(slave, TCSANOW, &raw);
        unlink(link);
        if (symlink(name, link) != 0) {
            perror(link);
            exit(1);
        }
    }

    virtual void runTick() {
        struct pollfd ready = {master, POLLIN, 0};
        if (poll(&ready, 1, 0) <= 0) {
            return;
        }
        uint8_t bytes[MICROFLO_CMD_SIZE], reply[describe::FrameBytes];
        const ssize_t count = read(master, bytes, sizeof(bytes));
        for (ssize_t i = 0; i < count; i++) {
            if (tap.feed(bytes[i], *controller, reply)) {
                sendCommand(reply, sizeof(reply));
            }
        }
    }

    virtual void sendCommand(const uint8_t *bytes, uint8_t length) {
        uint8_t frame[MICROFLO_CMD_SIZE] = {0};
        memcpy(frame, bytes, length < sizeof(frame) ? length : sizeof(frame));
        if (write(master, frame, sizeof(frame)) != (ssize_t)sizeof(frame)) {
            perror("the terminal takes no more");
        }
    }

private:
    const char *link;
    int master;
    HostCommunication *controller;
    describe::DescriptorTap<FileMemory> tap;
};

int main(int argc, char *argv[]) {
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s LINK [STORE]\n", argv[0]);
        return 2;
    }
    if (argc == 3 && !FileMemory::open(argv[2])) {
        perror(argv[2]);
        return 1;
    }
    LinuxIO io;
    FixedMessageQueue queue;
    Network network(&io, &queue);
    HostCommunication controller;
    DescribedTransport transport(argv[1]);
    transport.setup(&io, &controller);
    controller.setup(&network, &transport);
    MICROFLO_LOAD_STATIC_GRAPH((&controller), graph);
    for (;;) {
        transport.runTick();
        network.runTick();
        usleep(1);
    }
}

#include "microflo.hpp"
