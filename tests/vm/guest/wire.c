/* wire TTY PORT: carries bytes between the device's end of a USB gadget (ttyGSn) and a virtio port, until it is killed.
 *
 * An unplug or a bus reset hangs the tty up: it is opened again as soon as it works again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define RETRY_US 10000
#define CHUNK_BYTES 4096

static int open_tty(const char *path)
{
    for (;; usleep(RETRY_US)) {
        int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
            continue;
        struct termios mode;
        if (tcgetattr(fd, &mode) == 0) {
            cfmakeraw(&mode);
            mode.c_cflag |= CLOCAL;
            if (tcsetattr(fd, TCSANOW, &mode) == 0)
                return fd;
        }
        close(fd);
    }
}

/* Moves what is there; false when `from` or `to` is gone. What `to` has no room for is lost, as on a wire. */
static int move(int from, int to)
{
    char bytes[CHUNK_BYTES];
    ssize_t got = read(from, bytes, sizeof bytes);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    return write(to, bytes, got) >= 0 || errno == EAGAIN;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int port = open(argv[2], O_RDWR | O_NONBLOCK);
    if (port < 0) {
        perror(argv[2]);
        return 1;
    }
    for (;;) {
        int tty = open_tty(argv[1]);
        for (int up = 1; up;) {
            struct pollfd fds[2] = {{tty, POLLIN, 0}, {port, POLLIN, 0}};
            if (poll(fds, 2, -1) < 0 && errno != EINTR)
                return 1;
            if (fds[1].revents & POLLIN)
                up = move(port, tty);
            else if (fds[1].revents & POLLHUP)
                usleep(RETRY_US); /* nobody on the host yet */
            if (up && fds[0].revents)
                up = !(fds[0].revents & (POLLHUP | POLLERR)) && move(tty, port);
        }
        close(tty);
        usleep(RETRY_US);
    }
}
