// Stands in for the native `serialport` module that microflo 0.4.4 requires (its version 4 does not build on current
// Node). Load it with `node -r`. It offers what microflo calls - list(), new SerialPort(path, options, callback),
// 'data', write(), close() - over a plain open of the device, which is all that a PTY needs.
'use strict';

const { EventEmitter } = require('events');
const { execFileSync } = require('child_process');
const fs = require('fs');
const Module = require('module');
const tty = require('tty');

class SerialPort extends EventEmitter {
  constructor(path, options, callback = () => {}) {
    super();
    try {
      // Raw, and at once: a flush would throw away what the board says at boot.
      execFileSync('stty', ['-F', path, 'raw', '-echo', 'min', '1', 'time', '0']);
      this.fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
      this.stream = new tty.ReadStream(this.fd);
    } catch (err) {
      process.nextTick(callback, err);
      return;
    }
    this.stream.on('data', (data) => this.emit('data', data));
    this.stream.on('error', (err) => this.emit('error', err));
    this.stream.on('close', () => this.emit('close'));
    process.nextTick(() => { callback(null); this.emit('open'); });
  }

  write(data, callback = () => {}) {
    fs.write(this.fd, data, (err, written) => callback(err, err ? -1 : written));
  }

  close(callback = () => {}) {
    this.stream.destroy();
    process.nextTick(callback, null);
  }

  static list(callback) {
    // microflo looks its port up by `comName` here, unless the name contains ".microflo".
    const path = process.env.MICROFLO_RIG_PORT;
    callback(null, path ? [{ comName: path }] : []);
  }
}

const load = Module._load;
Module._load = function loadWithStub(request, ...rest) {
  return request === 'serialport' ? SerialPort : load.call(this, request, ...rest);
};
