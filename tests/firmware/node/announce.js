// Prints "listening PORT" when a server of this process listens, whatever else the program says about it.
'use strict';

const { Server } = require('net');

const { listen } = Server.prototype;
Server.prototype.listen = function listenAndTell(...args) {
  this.once('listening', () => console.log(`listening ${this.address().port}`));
  return listen.apply(this, args);
};
