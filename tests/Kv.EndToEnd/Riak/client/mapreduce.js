'use strict';

// MapReduce jobs, which the library takes as JSON and answers phase by phase. One that was begun anew on another node tells some of it twice.

const assert = require('node:assert/strict');
const { ask } = require('./client');

const erlang = (kind, name, more) => ({ [kind]: Object.assign({ language: 'erlang', module: 'riak_kv_mapreduce', function: name }, more) });

async function fill(client, bucket) {
  for (const [key, value] of [['1', '7'], ['2', '8'], ['3', '9']]) {
    await ask(client, 'storeValue', { bucket, key, value });
  }
}

function run(client, job) {
  return new Promise((resolve, reject) => {
    const phases = {};
    client.mapReduce(JSON.stringify(job), (error, result) => {
      if (error) {
        reject(new Error(String(error)));
        return;
      }

      if (result.phase !== undefined && result.phase !== null && result.response) {
        (phases[result.phase] ??= []).push(...result.response);
      }

      if (result.done) {
        resolve(phases);
      }
    });
  });
}

module.exports = [
  {
    name: 'a job over a bucket, phase by phase',
    once: true,
    async run(client, key) {
      await fill(client, key.bucket);
      const phases = await run(client, {
        inputs: key.bucket,
        query: [erlang('map', 'map_object_value', { keep: true }), erlang('reduce', 'reduce_string_to_integer'), erlang('reduce', 'reduce_sum')],
      });
      assert.deepEqual([phases[0].sort(), phases[2]], [['7', '8', '9'], [24]]);
    },
  },
  {
    name: 'a job over named keys and one over filtered ones',
    once: true,
    async run(client, key) {
      await fill(client, key.bucket);
      const named = await run(client, { inputs: [[key.bucket, '1'], [key.bucket, 'none']], query: [erlang('map', 'map_object_value', { arg: 'filter_notfound' })] });
      assert.deepEqual(named, { 0: ['7'] });
      const filtered = await run(client, {
        inputs: { bucket: key.bucket, key_filters: [['string_to_int'], ['greater_than', 1]] },
        query: [erlang('map', 'map_object_value'), erlang('reduce', 'reduce_sort')],
      });
      assert.deepEqual(filtered, { 1: ['8', '9'] });
    },
  },
  {
    name: 'a job that names what is not there is refused, and the connection goes on',
    refused: true,
    async run(client, key) {
      await assert.rejects(run(client, { inputs: key.bucket, query: [erlang('map', 'no_such_function')] }), /there is no map function riak_kv_mapreduce:no_such_function/);
      assert.equal(await ask(client, 'ping'), true);
    },
  },
];
