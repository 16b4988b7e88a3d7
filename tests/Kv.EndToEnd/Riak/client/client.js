'use strict';

// The client library's callbacks as promises; a failure is an Error whose message is what the library told.

const Riak = require('basho-riak-client');

/** Connects to all nodes, as an application does; a request may take longer than the library's five seconds on a busy machine. */
function connect(addresses) {
  const nodes = Riak.Node.buildNodes(addresses, { requestTimeout: 30000, connectionTimeout: 10000 });
  return new Promise((resolve, reject) => {
    new Riak.Client(new Riak.Cluster({ nodes }), (error, client) => (error ? reject(new Error(error)) : resolve(client)));
  });
}

/** Ends the client for good. The library itself goes on knocking at a node that is dead, and the process would never end. */
async function stop(client) {
  await new Promise(resolve => client.stop(resolve));
  for (const node of client.getRiakCluster().nodes) {
    node._createNewConnection = () => undefined;
  }
}

/** One of the client's own methods. */
function ask(client, method, options) {
  return new Promise((resolve, reject) => {
    const done = (error, result) => (error ? reject(new Error(String(error))) : resolve(result));
    if (options === undefined) {
      client[method](done);
    } else {
      client[method](options, done);
    }
  });
}

/** A method that answers piece by piece; resolves with all the pieces. */
function stream(client, method, options) {
  return new Promise((resolve, reject) => {
    const pieces = [];
    client[method](Object.assign({ stream: true }, options), (error, piece) => {
      if (error) {
        reject(new Error(String(error)));
        return;
      }

      pieces.push(piece);
      if (piece.done) {
        resolve(pieces);
      }
    });
  });
}

/** A command that the client has a class for, and no method. */
function execute(client, Command, options) {
  return new Promise((resolve, reject) => {
    client.execute(new Command(options, (error, result) => (error ? reject(new Error(String(error))) : resolve(result))));
  });
}

module.exports = { connect, stop, ask, stream, execute };
