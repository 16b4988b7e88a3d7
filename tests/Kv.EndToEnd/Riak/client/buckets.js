'use strict';

// The server and its buckets: who answers, where a key lies, properties of buckets and types, listings.

const assert = require('node:assert/strict');
const { ask, stream } = require('./client');

const QUORUM = 4294967293;
const DEFAULTS = { nVal: 3, allowMult: false, lastWriteWins: false, r: QUORUM, w: QUORUM, dw: QUORUM, rw: QUORUM, pr: 0, pw: 0, basicQuorum: false, notFoundOk: true };

/** What a change of the properties comes to once every node has heard of it. */
async function eventually(look, isThere) {
  for (const end = Date.now() + 60000; ;) {
    const seen = await look();
    if (isThere(seen)) {
      return;
    }

    assert.ok(Date.now() < end, `still ${JSON.stringify(seen)}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

const has = wanted => props => Object.keys(wanted).every(name => props[name] === wanted[name]);

module.exports = [
  {
    name: 'ping',
    async run(client) {
      assert.equal(await ask(client, 'ping'), true);
    },
  },
  {
    name: 'the server tells its node and its version',
    async run(client) {
      const info = await ask(client, 'fetchServerInfo');
      assert.match(info.node, /^example-[012]/);
      assert.match(info.server_version, /^\d+\.\d+\.\d+/);
    },
  },
  {
    name: 'a preference list has n_val partitions, each on a node',
    async run(client, key) {
      const { preflist } = await ask(client, 'fetchPreflist', Object.assign({ bucketType: 'siblings' }, key));
      assert.equal(preflist.length, 3);
      assert.equal(new Set(preflist.map(entry => entry.partition)).size, 3);
      for (const entry of preflist) {
        assert.ok(entry.partition >= 0 && entry.partition < 64, JSON.stringify(entry));
        assert.match(entry.node, /^example-[012]/);
        assert.equal(typeof entry.primary, 'boolean');
      }
    },
  },
  {
    name: "a bucket's properties are changed and reset",
    async run(client, key) {
      const bucket = { bucket: key.bucket };
      const look = () => ask(client, 'fetchBucketProps', bucket);
      const before = await look();
      assert.ok(has(DEFAULTS)(before), JSON.stringify(before));
      assert.deepEqual(before.chashKeyfun, { mod: 'riak_core_util', fun: 'chash_std_keyfun' });
      assert.deepEqual([before.precommit, before.postcommit], [[], []]);

      const wanted = { allowMult: true, r: 1, w: 2, dw: 2, pr: 1, pw: 1, rw: 2, basicQuorum: true, notFoundOk: false, smallVClock: 20, bigVClock: 90, oldVClock: 90000, youngVClock: 30 };
      assert.equal(await ask(client, 'storeBucketProps', Object.assign({}, bucket, wanted)), true);
      await eventually(look, has(wanted));
      assert.equal(await ask(client, 'resetBucketProps', bucket), true);
      await eventually(look, has(DEFAULTS));
    },
  },
  {
    name: "a bucket type's properties are changed, and those of a data type told",
    async run(client) {
      const type = { bucketType: 'props' };
      const look = () => ask(client, 'fetchBucketTypeProps', type);
      for (const w of [1, 2]) {
        assert.equal(await ask(client, 'storeBucketTypeProps', Object.assign({ w }, type)), true);
      }

      await eventually(look, has({ nVal: 3, allowMult: true, w: 2 }));
      const hll = await ask(client, 'fetchBucketTypeProps', { bucketType: 'hlls' });
      assert.deepEqual([hll.dataType, hll.hllPrecision, hll.allowMult], ['hll', 14, true]);
    },
  },
  {
    name: 'properties that make no sense are refused, and types that are not there',
    refused: true,
    async run(client, key) {
      await assert.rejects(ask(client, 'storeBucketProps', { bucket: key.bucket, w: 9 }), /^Error: Invalid bucket properties: \[/);
      await assert.rejects(ask(client, 'fetchBucketTypeProps', { bucketType: 'nowhere' }), /^Error: (Invalid bucket type: <<"nowhere">>|No bucket-type named 'nowhere')$/);
      await assert.rejects(ask(client, 'fetchValue', Object.assign({ bucketType: 'nowhere' }, key)), /^Error: No bucket-type named 'nowhere'$/);
    },
  },
  {
    name: 'keys are listed, piece by piece and whole',
    async run(client, key) {
      const bucket = { bucketType: 'plain', bucket: key.bucket };
      const keys = Array.from({ length: 300 }, (_, i) => `${key.key}-${i}`).sort();
      await Promise.all(keys.map(each => ask(client, 'storeValue', Object.assign({ key: each, value: '' }, bucket))));
      const pieces = await stream(client, 'listKeys', bucket);
      assert.deepEqual(distinct(pieces.flatMap(piece => piece.keys)), keys);
      const whole = await ask(client, 'listKeys', Object.assign({ stream: false, timeout: 20000 }, bucket));
      assert.deepEqual(distinct(whole.keys), keys);
      const empty = await ask(client, 'listKeys', { bucket: `${key.bucket}-empty`, stream: false });
      assert.deepEqual([empty.keys, empty.done], [[], true]);
    },
  },
  {
    name: 'buckets are listed, piece by piece and whole',
    async run(client, key) {
      await ask(client, 'storeValue', Object.assign({ bucketType: 'plain', value: '' }, key));
      const pieces = await stream(client, 'listBuckets', { bucketType: 'plain' });
      assert.ok(pieces.flatMap(piece => piece.buckets).includes(key.bucket));
      const whole = await ask(client, 'listBuckets', { bucketType: 'plain', stream: false, timeout: 20000 });
      assert.ok(whole.buckets.includes(key.bucket));
    },
  },
  {
    name: 'what is not served is refused by its code, and the connection goes on',
    refused: true,
    async run(client) {
      for (const [method, options, code] of [
        ['search', { indexName: 'i', q: '*:*' }, 27],
        ['fetchIndex', { indexName: 'i' }, 54],
        ['storeIndex', { indexName: 'i' }, 56],
        ['deleteIndex', { indexName: 'i' }, 57],
        ['fetchSchema', { schemaName: 's' }, 58],
        ['storeSchema', { schemaName: 's', schema: '<schema/>' }, 60],
        ['tsQuery', { query: 'select * from t' }, 90],
      ]) {
        await assert.rejects(ask(client, method, options), new RegExp(`^Error: Unknown message code: ${code}$`));
        assert.equal(await ask(client, 'ping'), true);
      }
    },
  },
];

/** A listing that was begun anew on another node tells some of it twice. */
function distinct(names) {
  return [...new Set(names)].sort();
}
