"""A serial line on the host: carries bytes between the guest's port and the far end, and remembers them."""

import errno
import os
import select
import threading

READ_BYTES = 4096
WAKE_SECONDS = 0.2


class Line:
    """`near` is the socket of the guest's port; without a far end bytes are only counted."""

    def __init__(self, near, far=None):
        self.near, self.far = near, far
        #: What the guest has sent.
        self.to_board = bytearray()
        #: What the board has said.
        self.from_board = bytearray()
        self.closing = False
        near.setblocking(False)
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        fds = [self.near.fileno()] + ([self.far.fd] if self.far else [])
        while not self.closing:
            ready, _, _ = select.select(fds, [], [], WAKE_SECONDS)
            try:
                if fds[0] in ready and not self._from_guest():
                    return
                if self.far and self.far.fd in ready:
                    self._from_board()
            except BlockingIOError:
                continue
            except OSError as error:
                # The far end or the guest has gone.
                if error.errno in (errno.EIO, errno.EBADF, errno.EPIPE, errno.ECONNRESET):
                    return
                raise

    def _from_guest(self):
        got = self.near.recv(READ_BYTES)
        self.to_board += got
        if self.far and got:
            os.write(self.far.fd, got)
        return bool(got)

    def _from_board(self):
        got = os.read(self.far.fd, READ_BYTES)
        self.from_board += got
        # What the guest does not take is lost, as on a wire.
        self.near.send(got)

    def close(self):
        self.closing = True
        self.thread.join()
        self.near.close()
        if self.far:
            self.far.close()
