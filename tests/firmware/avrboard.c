/* avrboard: an Arduino with an ATmega, emulated by simavr, whose serial port is a pseudo-terminal.
 *
 * What makes it a stand-in for a board on a USB cable:
 *   - UART0 runs at the baud rate that the firmware sets, in real time, in both directions;
 *   - nothing slows the host down: a byte that arrives while the receiver is full is lost, as on the wire;
 *   - with --deaf-ms, opening the terminal resets the board (DTR), and a bootloader swallows input for that long;
 *   - SIGUSR1 is the reset button. SIGUSR2 prints counters to stderr;
 *   - with --eeprom, the EEPROM is a file: what the firmware writes is there after a power cycle, which is a new process.
 *
 * A terminal nobody has open: with --deaf-ms what the board says is thrown away; without, it waits in the terminal for the
 * first reader. The link is removed on exit.
 *
 * Build: gcc -O2 -I/usr/include/simavr avrboard.c -lsimavr -lutil
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "simavr/avr_eeprom.h"
#include "simavr/avr_uart.h"
#include "simavr/sim_avr.h"
#include "simavr/sim_elf.h"

#define CLOCK_HZ 16000000u
#define SLICE_CYCLES (CLOCK_HZ / 2000) /* 0.5 ms of board time between two looks at the terminal */
#define MAX_LAG_S 0.1                  /* a host slower than this does not make the board race afterwards */

/* USART0 has the same data addresses on every ATmega that an Arduino carries. */
#define REG_UCSR0A 0xC0
#define REG_UBRR0L 0xC4
#define REG_UBRR0H 0xC5
#define UCSR0A_U2X 0x02
#define CHARACTER_BITS 10 /* start, eight data, stop */
/* Two bytes of FIFO, and one more that waits in the shift register. simavr's own FIFO is far deeper. */
#define RECEIVER_BYTES 3

enum exit_code { EXIT_USAGE = 2, EXIT_FIRMWARE = 3, EXIT_TERMINAL = 4, EXIT_CRASHED = 5 };

/* ---- byte queues: what a USB-serial chip has buffered for either side ---- */

#define QUEUE_BYTES 65536u

struct queue {
    uint8_t bytes[QUEUE_BYTES];
    uint32_t read, write; /* free-running; QUEUE_BYTES divides their range */
};

static uint32_t queue_len(const struct queue *q) { return q->write - q->read; }
static void queue_clear(struct queue *q) { q->read = q->write; }

static bool queue_push(struct queue *q, uint8_t byte)
{
    if (queue_len(q) == QUEUE_BYTES)
        return false;
    q->bytes[q->write++ % QUEUE_BYTES] = byte;
    return true;
}

static uint8_t queue_pop(struct queue *q) { return q->bytes[q->read++ % QUEUE_BYTES]; }

/* ---- the board ---- */

struct board {
    avr_t *avr;
    avr_uart_t *uart;
    avr_irq_t *receive;
    bool lossless;
    bool receiver_ready;     /* simavr's XON/XOFF, heeded only when lossless */
    struct queue to_board;   /* read from the terminal, not yet on the board's RX wire */
    struct queue from_board; /* off the board's TX wire, not yet taken by the terminal */
    bool sending;            /* a character is on the TX wire: sending_byte */
    uint8_t sending_byte;
    unsigned long received, sent, overruns, discarded;
};

static volatile sig_atomic_t reset_pressed, stop_asked, counters_asked;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        reset_pressed = 1;
    else if (number == SIGUSR2)
        counters_asked = 1;
    else
        stop_asked = 1;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sleep_s(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL); /* a signal may cut it short: the loop looks again */
}

static uint32_t cycles_per_character(const avr_t *avr)
{
    uint32_t divisor = avr->data[REG_UBRR0L] | (avr->data[REG_UBRR0H] & 0x0Fu) << 8;
    uint32_t cycles_per_bit = (avr->data[REG_UCSR0A] & UCSR0A_U2X ? 8 : 16) * (divisor + 1);
    return cycles_per_bit * CHARACTER_BITS;
}

static uint32_t receiver_len(const avr_uart_t *uart)
{
    uint32_t size = sizeof uart->input.buffer / sizeof uart->input.buffer[0];
    return (uart->input.write + size - uart->input.read) % size;
}

static void end_of_character(struct board *board)
{
    board->sending = false;
    board->sent++;
    if (!queue_push(&board->from_board, board->sending_byte))
        board->discarded++;
}

/* A cycle timer: the stop bit has gone out. */
static avr_cycle_count_t on_transmitted(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr, (void)when;
    end_of_character(param);
    return 0;
}

/* simavr tells of a character when it is written to UDR; the host has it one character time later. */
static void on_transmit(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    struct board *board = param;
    if (board->sending)
        end_of_character(board);
    board->sending = true;
    board->sending_byte = (uint8_t)value;
    avr_cycle_timer_register(board->avr, cycles_per_character(board->avr), on_transmitted, board);
}

static void on_receiver_ready(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)value;
    ((struct board *)param)->receiver_ready = true;
}

static void on_receiver_full(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    if (value)
        ((struct board *)param)->receiver_ready = false;
}

/* A cycle timer: puts at most one character on the RX wire per character time. */
static avr_cycle_count_t feed_receiver(avr_t *avr, avr_cycle_count_t when, void *param)
{
    struct board *board = param;
    uint32_t character = cycles_per_character(avr);
    /* simavr 1.6 counts eleven bits in an 8N1 character, which would slow the line down by a tenth. */
    board->uart->cycles_per_byte = character;
    if (queue_len(&board->to_board) == 0)
        return when + character / 8; /* idle line: the next start bit may come at any time */
    if (board->lossless && !board->receiver_ready)
        return when + character;
    uint8_t byte = queue_pop(&board->to_board);
    if (!board->lossless && receiver_len(board->uart) >= RECEIVER_BYTES) {
        board->overruns++;
    } else {
        board->received++;
        avr_raise_irq(board->receive, byte);
    }
    return when + character;
}

static void board_reset(struct board *board)
{
    queue_clear(&board->to_board);
    board->sending = false; /* the wire drops in mid-character */
    avr_reset(board->avr); /* forgets cycle timers */
    board->receiver_ready = true;
    avr_cycle_timer_register(board->avr, CLOCK_HZ / 1000, feed_receiver, board);
    fprintf(stderr, "avrboard: reset\n");
}

static avr_uart_t *find_uart0(avr_t *avr)
{
    for (avr_io_t *io = avr->io_port; io; io = io->next)
        if (strcmp(io->kind, "uart") == 0 && ((avr_uart_t *)io)->name == '0')
            return (avr_uart_t *)io;
    return NULL;
}

static bool board_load(struct board *board, const char *mcu, const char *elf)
{
    elf_firmware_t firmware = {0};
    if (elf_read_firmware(elf, &firmware) != 0)
        return false;
    snprintf(firmware.mmcu, sizeof firmware.mmcu, "%s", mcu);
    firmware.frequency = CLOCK_HZ;
    avr_t *avr = board->avr = avr_make_mcu_by_name(firmware.mmcu);
    if (!avr)
        return false;
    avr_init(avr);
    avr_load_firmware(avr, &firmware);
    avr->log = LOG_ERROR;

    board->uart = find_uart0(avr);
    if (!board->uart)
        return false;
    /* By default simavr prints the UART's output, and sleeps when the firmware polls it. */
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);

    uint32_t irqs = AVR_IOCTL_UART_GETIRQ('0');
    board->receive = avr_io_getirq(avr, irqs, UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, irqs, UART_IRQ_OUTPUT), on_transmit, board);
    avr_irq_register_notify(avr_io_getirq(avr, irqs, UART_IRQ_OUT_XON), on_receiver_ready, board);
    avr_irq_register_notify(avr_io_getirq(avr, irqs, UART_IRQ_OUT_XOFF), on_receiver_full, board);
    board->receiver_ready = true;
    avr_cycle_timer_register(avr, CLOCK_HZ / 1000, feed_receiver, board);
    return true;
}

/* Runs one slice. False: the firmware halted or jumped into the void, which only a restart could mend. */
static bool board_run(struct board *board)
{
    avr_cycle_count_t end = board->avr->cycle + SLICE_CYCLES;
    while (board->avr->cycle < end) {
        int state = avr_run(board->avr);
        if (state == cpu_Done || state == cpu_Crashed)
            return false;
    }
    return true;
}

/* ---- the EEPROM ---- */

struct eeprom {
    const char *file; /* NULL: forgotten when the process ends */
    avr_eeprom_t *chip;
    uint8_t *saved;
};

static avr_eeprom_t *find_eeprom(avr_t *avr)
{
    for (avr_io_t *io = avr->io_port; io; io = io->next)
        if (strcmp(io->kind, "eeprom") == 0)
            return (avr_eeprom_t *)io;
    return NULL;
}

static bool eeprom_write_file(const struct eeprom *eeprom)
{
    FILE *file = fopen(eeprom->file, "wb");
    if (!file)
        return false;
    bool whole = fwrite(eeprom->saved, 1, eeprom->chip->size, file) == eeprom->chip->size;
    return fclose(file) == 0 && whole;
}

/* Fills the chip from its file, or makes the file of an erased chip. */
static bool eeprom_open(struct eeprom *eeprom, avr_t *avr, const char *path)
{
    eeprom->file = path;
    eeprom->chip = find_eeprom(avr);
    if (!eeprom->chip || !(eeprom->saved = malloc(eeprom->chip->size)))
        return false;
    FILE *file = fopen(path, "rb");
    if (file) {
        bool whole = fread(eeprom->chip->eeprom, 1, eeprom->chip->size, file) == eeprom->chip->size;
        fclose(file);
        memcpy(eeprom->saved, eeprom->chip->eeprom, eeprom->chip->size);
        return whole;
    }
    memcpy(eeprom->saved, eeprom->chip->eeprom, eeprom->chip->size);
    return errno == ENOENT && eeprom_write_file(eeprom);
}

/* Writes to the file what the firmware has changed. */
static bool eeprom_save(struct eeprom *eeprom)
{
    if (!eeprom->file || memcmp(eeprom->saved, eeprom->chip->eeprom, eeprom->chip->size) == 0)
        return true;
    memcpy(eeprom->saved, eeprom->chip->eeprom, eeprom->chip->size);
    return eeprom_write_file(eeprom);
}

/* ---- the terminal ---- */

struct terminal {
    int master;
    char device[64];
    const char *link;
};

static bool terminal_open(struct terminal *terminal, const char *link, bool keep_open)
{
    int slave;
    if (openpty(&terminal->master, &slave, terminal->device, NULL, NULL) != 0)
        return false;
    struct termios raw;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    /* With no slave open the master reports POLLHUP, which is how an open is noticed. */
    if (!keep_open)
        close(slave);
    fcntl(terminal->master, F_SETFL, O_NONBLOCK);
    terminal->link = link;
    unlink(link);
    return symlink(terminal->device, link) == 0;
}

/* Removes the link, unless another board has taken its place. */
static void terminal_unlink(const struct terminal *terminal)
{
    char target[sizeof terminal->device];
    ssize_t n = readlink(terminal->link, target, sizeof target - 1);
    if (n > 0 && (target[n] = 0, strcmp(target, terminal->device) == 0))
        unlink(terminal->link);
}

/* Takes what the host wrote; a deaf board loses it. */
static void terminal_read(const struct terminal *terminal, struct board *board, bool deaf)
{
    uint8_t bytes[4096];
    if (QUEUE_BYTES - queue_len(&board->to_board) < sizeof bytes)
        return; /* the kernel's buffer is the host's back-pressure, as with a USB chip */
    ssize_t n = read(terminal->master, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n && !deaf; i++)
        queue_push(&board->to_board, bytes[i]);
}

static void terminal_write(const struct terminal *terminal, struct board *board)
{
    struct queue *q = &board->from_board;
    while (queue_len(q) > 0) {
        uint32_t at = q->read % QUEUE_BYTES, n = queue_len(q);
        if (n > QUEUE_BYTES - at)
            n = QUEUE_BYTES - at;
        ssize_t written = write(terminal->master, q->bytes + at, n);
        if (written <= 0)
            return; /* full, or nobody there */
        q->read += (uint32_t)written;
    }
}

/* ---- command line and main loop ---- */

struct options {
    const char *mcu, *elf, *link, *eeprom;
    double speed;
    int deaf_ms; /* -1: opening the terminal does not reset the board */
    bool lossless;
};

static void print_usage(FILE *to)
{
    fputs("usage: avrboard --mcu MCU --elf FIRMWARE.elf --link PATH [options]\n"
          "  --mcu MCU        atmega328p (Uno), atmega2560 (Mega), or another that simavr knows\n"
          "  --elf FILE       the firmware, built for 16 MHz\n"
          "  --link PATH      symlink to make to the pseudo-terminal; removed on exit\n"
          "  --deaf-ms N      opening the terminal resets the board, and its bootloader ignores input for N ms\n"
          "  --eeprom FILE    keep the EEPROM's content in a file\n"
          "  --lossless       hold bytes back while the receiver is full, instead of losing them\n"
          "  --speed FACTOR   1 = real time (default), 0 = as fast as the host can\n"
          "signals: USR1 = reset button, USR2 = counters to stderr, TERM or INT = unplug\n",
          to);
}

static struct options parse_options(int argc, char **argv)
{
    enum { MCU = 1, ELF, LINK, EEPROM, DEAF_MS, LOSSLESS, SPEED, HELP };
    static const struct option known[] = {
        {"mcu", required_argument, NULL, MCU},       {"elf", required_argument, NULL, ELF},
        {"link", required_argument, NULL, LINK},     {"deaf-ms", required_argument, NULL, DEAF_MS},
        {"lossless", no_argument, NULL, LOSSLESS},   {"speed", required_argument, NULL, SPEED},
        {"eeprom", required_argument, NULL, EEPROM}, {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.speed = 1, .deaf_ms = -1};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case MCU: o.mcu = optarg; break;
        case ELF: o.elf = optarg; break;
        case LINK: o.link = optarg; break;
        case EEPROM: o.eeprom = optarg; break;
        case DEAF_MS: o.deaf_ms = atoi(optarg); break;
        case LOSSLESS: o.lossless = true; break;
        case SPEED: o.speed = atof(optarg); break;
        case HELP: print_usage(stdout); exit(EXIT_SUCCESS);
        default: print_usage(stderr); exit(EXIT_USAGE);
        }
    }
    if (!o.mcu || !o.elf || !o.link || optind != argc) {
        print_usage(stderr);
        exit(EXIT_USAGE);
    }
    return o;
}

static void print_counters(const struct board *board)
{
    fprintf(stderr, "avrboard: cycles %llu received %lu overruns %lu sent %lu discarded %lu waiting %u character-cycles %u\n",
            (unsigned long long)board->avr->cycle, board->received, board->overruns, board->sent, board->discarded,
            queue_len(&board->to_board), cycles_per_character(board->avr));
}

int main(int argc, char **argv)
{
    static struct board board; /* too big for the stack */
    struct options options = parse_options(argc, argv);
    bool resets_on_open = options.deaf_ms >= 0;

    board.lossless = options.lossless;
    if (!board_load(&board, options.mcu, options.elf)) {
        fprintf(stderr, "avrboard: cannot load %s for %s\n", options.elf, options.mcu);
        return EXIT_FIRMWARE;
    }
    struct eeprom eeprom = {0};
    if (options.eeprom && !eeprom_open(&eeprom, board.avr, options.eeprom)) {
        fprintf(stderr, "avrboard: %s is no EEPROM of %s\n", options.eeprom, options.mcu);
        return EXIT_FIRMWARE;
    }
    for (const int *s = (const int[]){SIGUSR1, SIGUSR2, SIGTERM, SIGINT, 0}; *s; s++)
        signal(*s, on_signal);
    struct terminal terminal;
    if (!terminal_open(&terminal, options.link, !resets_on_open)) {
        fprintf(stderr, "avrboard: cannot make a terminal at %s: %s\n", options.link, strerror(errno));
        return EXIT_TERMINAL;
    }
    printf("PTY %s\n", terminal.device);
    fflush(stdout);

    int exit_code = EXIT_SUCCESS;
    bool was_open = false;
    double deaf_until = 0;
    /* The board's clock: at wall time start_s it had run start_cycle cycles. */
    double start_s = now_s();
    avr_cycle_count_t start_cycle = board.avr->cycle;

    while (!stop_asked) {
        bool deaf = now_s() < deaf_until;
        if (!deaf && !board_run(&board)) {
            fprintf(stderr, "avrboard: the firmware crashed\n");
            exit_code = EXIT_CRASHED;
            break;
        }

        if (!eeprom_save(&eeprom)) {
            fprintf(stderr, "avrboard: %s cannot be written: %s\n", options.eeprom, strerror(errno));
            exit_code = EXIT_FIRMWARE;
            break;
        }

        struct pollfd ready = {.fd = terminal.master, .events = POLLIN};
        poll(&ready, 1, 0);
        if (resets_on_open) {
            bool open = !(ready.revents & POLLHUP);
            if (open && !was_open)
                reset_pressed = 1;
            if (!open)
                queue_clear(&board.from_board);
            was_open = open;
        }
        if (reset_pressed) {
            reset_pressed = 0;
            board_reset(&board);
            deaf_until = now_s() + (resets_on_open ? options.deaf_ms / 1e3 : 0);
            deaf = resets_on_open && options.deaf_ms > 0;
        }
        if (ready.revents & POLLIN)
            terminal_read(&terminal, &board, deaf);
        terminal_write(&terminal, &board);
        if (counters_asked) {
            counters_asked = 0;
            print_counters(&board);
        }

        if (deaf) { /* the bootloader's time is not the firmware's */
            sleep_s(0.5e-3);
            start_s = now_s();
            start_cycle = board.avr->cycle;
        } else if (options.speed > 0) {
            double board_s = (double)(board.avr->cycle - start_cycle) / CLOCK_HZ / options.speed;
            double ahead = board_s - (now_s() - start_s);
            if (ahead > 0) {
                sleep_s(ahead);
            } else if (ahead < -MAX_LAG_S) {
                start_s = now_s();
                start_cycle = board.avr->cycle;
            }
        }
    }
    terminal_unlink(&terminal);
    avr_terminate(board.avr);
    return exit_code;
}
